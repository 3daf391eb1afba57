"""Resizing pictures as `torch.nn.functional.interpolate` does: no antialiasing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Taps = list[tuple[np.ndarray, np.ndarray]]
"""Places on the axis before, and their weights, for every place after."""


def resize(
    x: Float[Array, "n *space c"],
    size: Sequence[int] | None = None,
    scale_factor: Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool = False,
) -> Float[Array, "n *then c"]:
    """`interpolate` to `size`, or by `scale_factor`, one number for each axis of the space.

    `mode` is 'nearest', 'linear' (in any number of dimensions: PyTorch's linear, bilinear,
    trilinear) or 'cubic' (its bicubic). As in PyTorch, a scale factor is used as it is for the
    positions, whatever whole size comes out.

    Raises ValueError for another mode, unless one of `size` and `scale_factor` is given, and for
    'nearest' with `align_corners`.
    """
    if mode not in _TAPS:
        raise ValueError(f"mode is {mode!r}, expected one of {[*_TAPS]}")
    if (size is None) == (scale_factor is None):
        raise ValueError("expected either size or scale_factor")
    if mode == "nearest" and align_corners:
        raise ValueError("align_corners goes with 'linear' and 'cubic' only")
    for axis in range(1, x.ndim - 1):
        before = x.shape[axis]
        factor = None if scale_factor is None else scale_factor[axis - 1]
        after = size[axis - 1] if size is not None else int(before * factor)  # type: ignore[operator]
        step = before / after if factor is None else 1 / factor
        if align_corners:
            positions = np.arange(after) * ((before - 1) / (after - 1) if after > 1 else 0.0)
        elif mode == "nearest":
            # PyTorch reckons these in float32, whatever the picture is.
            positions = np.arange(after).astype(np.float32) * np.float32(step)
        else:
            positions = (np.arange(after) + 0.5) * step - 0.5
        x = _sum_of_taps(x, axis, _TAPS[mode](positions))
    return x


def _sum_of_taps(x: Float[Array, "n *space c"], axis: int, taps: Taps) -> Float[Array, "n *then c"]:
    """Weigh the elements at these places along an axis; the border repeats."""
    shape = [-1 if a == axis else 1 for a in range(x.ndim)]
    total = jnp.zeros((), x.dtype)
    for place, weight in taps:
        index = np.clip(place, 0, x.shape[axis] - 1).astype(int)
        total = total + jnp.asarray(weight.reshape(shape), x.dtype) * jnp.take(x, index, axis)
    return total


def _nearest(positions: np.ndarray) -> Taps:
    return [(np.floor(positions), np.ones(len(positions)))]


def _linear(positions: np.ndarray) -> Taps:
    positions = np.maximum(positions, 0)
    low = np.floor(positions)
    return [(low, 1 - (positions - low)), (low + 1, positions - low)]


def _cubic(positions: np.ndarray) -> Taps:
    """Keys' kernel with a = -0.75, as in PyTorch."""
    low = np.floor(positions)
    t, a = positions - low, -0.75

    def near(d: np.ndarray) -> np.ndarray:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: np.ndarray) -> np.ndarray:
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    return [(low - 1, far(t + 1)), (low, near(t)), (low + 1, near(1 - t)), (low + 2, far(2 - t))]


_TAPS: dict[str, Callable[[np.ndarray], Taps]] = {
    "nearest": _nearest,
    "linear": _linear,
    "cubic": _cubic,
}
