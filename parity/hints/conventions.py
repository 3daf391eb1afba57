"""Functions of one name that libraries define differently: medians, deviations, divisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from parity.hints.arrays import match, same
from parity.stages.case import Case
from parity.verdict import Departure, Hint

_LARGEST = 1_000_000
"""Values above which nothing is tried."""

Sides = tuple[np.ndarray, np.ndarray]
Reduction = Callable[[np.ndarray, int], np.ndarray]


def _lower_median(array: np.ndarray, axis: int) -> np.ndarray:
    return np.sort(array, axis=axis).take((array.shape[axis] - 1) // 2, axis=axis)


def _median(array: np.ndarray, axis: int) -> np.ndarray:
    return np.asarray(np.median(array, axis=axis))


def _moment(name: str, ddof: int) -> Reduction:
    return lambda array, axis: np.asarray(getattr(array, name)(axis=axis, ddof=ddof))


_REDUCTIONS: tuple[tuple[str, Reduction, str, Reduction], ...] = (
    ("the lower median (torch.median)", _lower_median, "the mean of the middle two", _median),
    ("std over n - 1 (torch.std)", _moment("std", 1), "std over n (ddof=0)", _moment("std", 0)),
    ("var over n - 1 (torch.var)", _moment("var", 1), "var over n (ddof=0)", _moment("var", 0)),
)  # fmt: skip
"""Two words and functions each, the first PyTorch's default."""


def reduction(case: Case, departure: Departure) -> Hint | None:
    """62: a median or deviation over one axis of something before, in the other convention."""
    row = departure.row
    if row is None or row.name not in case.truth or row.name not in case.port:
        return None
    sides = case.truth[row.name], case.port[row.name]
    if sides[0].shape != sides[1].shape:
        return None
    for what, array in _before(case, row.name, row.run):
        for axis in range(1, array.ndim if array.dtype.kind == "f" else 0):
            if array.size // max(array.shape[axis], 1) != sides[0].size or array.shape[axis] < 2:
                continue
            for one in _REDUCTIONS:
                for ours, us, theirs, them in (one, one[2:] + one[:2]):
                    made = (us(array, axis), them(array, axis))
                    if _fit(made, sides, match(case)):
                        text = f"over axis {axis} of {what} the port has {theirs}, the reference"
                        return Hint(bug=62, text=f"{text} {ours}")
    return None


def negative_division(case: Case, departure: Departure) -> Hint | None:
    """62: whole numbers that are one lower where something before is negative, or higher."""
    row = departure.row
    if row is None or row.name not in case.truth or row.name not in case.port:
        return None
    reference, port = case.truth[row.name], case.port[row.name]
    if reference.dtype.kind not in "iu" or port.shape != reference.shape:
        return None
    apart = port.astype(np.int64) - reference.astype(np.int64)
    if not apart.any() or (set(np.unique(apart)) - {0, -1} and set(np.unique(apart)) - {0, 1}):
        return None
    for what, array in _before(case, row.name, row.run):
        if array.shape == apart.shape and (array[apart != 0] < 0).all() and (array >= 0).any():
            way = "down, the reference towards zero" if apart.min() < 0 else (
                "towards zero, the reference down")  # fmt: skip
            text = f"it differs by one, and only where {what} is negative: the port rounds {way}"
            return Hint(bug=62, text=f"{text} (// and torch.div's rounding_mode)")
    return None


def _fit(made: Sides, sides: Sides, tolerance: float) -> bool:
    if same(*made, tolerance):
        return False  # the conventions agree here
    return all(
        same(a.reshape(b.shape), b.astype(np.float64), tolerance)
        for a, b in zip(made, sides, strict=True)
    )


def _before(case: Case, name: str, run: str) -> Iterator[tuple[str, np.ndarray]]:
    """What was there before an array was made: outputs of layers, nearest first, and inputs."""
    seen: list[tuple[str, str]] = [(n, "the inputs") for n in case.names("input")]
    for event in case.events(run):
        if name in event.names(run):
            break
        if event.kind == "exit":
            seen += [(n, f"what {event.layer} returns") for n in event.names(run)]
    for source, what in reversed(seen):
        array = case.truth.get(source)
        if array is not None and array.dtype.kind in "iuf" and 0 < array.size <= _LARGEST:
            yield what, array.astype(np.float64) if array.dtype.kind == "f" else array
