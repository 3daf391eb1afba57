"""How far apart two arrays are. NumPy only: nothing that judges imports a framework."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

MISSING = "the port's capture does not have it"
"""The fault of an array that is not there."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The port's array against the reference's."""

    error: float
    """Normwise relative error: max |port - reference|, less the allowance, / scale. Infinite where
    the two cannot be compared at all: other shapes, or NaN or Inf in other places."""
    absolute: float
    """max |port - reference|."""
    scale: float
    """What `absolute` is measured by: max |reference|, or the floor if that is larger."""
    worst: tuple[int, ...] | None
    """Index of the element that differs most; None where nothing differs or shapes do."""
    reference_value: float | None
    """The reference at `worst`."""
    port_value: float | None
    """The port at `worst`."""
    fault: str | None = None
    """Why the two cannot be compared, in words; None where they can."""

    @property
    def exact(self) -> bool:
        """Every element is equal (NaN equals NaN, and -0 equals 0)."""
        return self.error == 0


def difference(
    reference: np.ndarray, port: np.ndarray, floor: float = 0.0, allowance: float = 0.0
) -> Difference:
    """Compare `port` with `reference`, element by element, in float64.

    The norm is the largest magnitude, not a mean and not the Euclidean norm: one wrong element
    among a hundred thousand must not be averaged away. `floor` is the least scale; a gradient that
    is zero by structure takes it from the whole model, since its own magnitude is rounding alone.
    `allowance` is an absolute difference that is none of the port's making (the rounding of the
    numbers that two parameters were subtracted from); the error counts what is beyond it.
    """
    if reference.shape != port.shape:
        return _incomparable(f"shape {port.shape}, reference {reference.shape}")
    if np.iscomplexobj(reference) or np.iscomplexobj(port):  # as pairs of numbers
        reference, port = (np.stack([a.real, a.imag], axis=-1) for a in (reference, port))
    there, here = (a.astype(np.float64, copy=False) for a in (reference, port))
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.subtract(here, there)
    apart = np.abs(apart, out=np.asarray(apart))
    absolute = float(apart.max(initial=0.0))
    if not math.isfinite(absolute):  # NaN or an infinity on a side; else both are finite
        if fault := _mask_fault(there, here):
            place, words = fault
            return _incomparable(words, place, float(there[place]), float(here[place]))
        apart = np.where(np.isfinite(there), apart, 0.0)
        absolute = float(apart.max(initial=0.0))
    scale = max(_largest(there), floor)
    worst = _index(apart) if absolute > 0 else None
    return Difference(
        error=_ratio(max(absolute - allowance, 0.0), scale),
        absolute=absolute,
        scale=scale,
        worst=worst,
        reference_value=None if worst is None else float(there[worst]),
        port_value=None if worst is None else float(here[worst]),
    )


def in_ulps(found: Difference, dtype: np.dtype | type) -> float:
    """The absolute difference in units in the last place of the scale, for floats of `dtype`."""
    if not math.isfinite(found.error):
        return math.inf
    if found.absolute == 0:
        return 0.0
    return found.absolute / float(np.spacing(np.asarray(found.scale, dtype)))


def missing() -> Difference:
    """What to say of an array that the port does not have."""
    return _incomparable(MISSING)


def magnitude(arrays: Iterable[np.ndarray]) -> float:
    """The largest finite magnitude in any of the arrays; 0 where there is none."""
    return max((_largest(array) for array in arrays), default=0.0)


def _largest(array: np.ndarray) -> float:
    if array.dtype.kind not in "fiub" or not array.size:
        return 0.0
    ends = [abs(float(array.max())), abs(float(array.min()))]  # without a copy
    if all(map(math.isfinite, ends)):
        return max(ends)
    values = np.abs(array.astype(np.float64))
    return float(values.max(initial=0.0, where=np.isfinite(values)))


def _mask_fault(reference: np.ndarray, port: np.ndarray) -> tuple[tuple[int, ...], str] | None:
    """Where NaN or an infinity stands in one array and not in the other."""
    same = (reference == port) | (np.isnan(reference) & np.isnan(port))
    unlike = ~same & ~(np.isfinite(reference) & np.isfinite(port))
    if not unlike.any():
        return None
    place = _index(unlike)
    return place, f"{port[place]} in {int(unlike.sum())} places where the reference has not"


def _incomparable(
    fault: str,
    worst: tuple[int, ...] | None = None,
    reference_value: float | None = None,
    port_value: float | None = None,
) -> Difference:
    return Difference(
        error=math.inf,
        absolute=math.inf,
        scale=math.nan,
        worst=worst,
        reference_value=reference_value,
        port_value=port_value,
        fault=fault,
    )


def _index(array: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(array.argmax()), array.shape))


def _ratio(absolute: float, scale: float) -> float:
    if absolute == 0:
        return 0.0
    return absolute / scale if scale > 0 else math.inf
