"""Convolutions and poolings in NumPy, as PyTorch has them and as ports have them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

Pads = Sequence[tuple[int, int]]

_ALL = slice(None)

LARGEST = 20_000_000
"""Products of one example above which nothing is tried."""


def per_axis(value: Any, axes: int) -> tuple[int, ...]:
    """A setting of PyTorch's, one number for each axis."""
    values = value if isinstance(value, list | tuple) else [value] * axes
    return tuple(int(v) for v in (values if len(values) == axes else [values[0]] * axes))


def same_pads(
    sizes: Sequence[int], window: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> Pads:
    """What 'SAME' pads: as many as size / stride windows need, the odd one behind."""
    pads = []
    for size, k, s, d in zip(sizes, window, stride, dilation, strict=True):
        total = max((-(-size // s) - 1) * s + d * (k - 1) + 1 - size, 0)
        pads.append((total // 2, total - total // 2))
    return pads


def correlate(
    x: np.ndarray,
    weight: np.ndarray,
    stride: Sequence[int],
    pads: Pads,
    dilation: Sequence[int],
    groups: int = 1,
    mode: str = "constant",
) -> np.ndarray | None:
    """A convolution (n, in, *space) x (out, in / groups, *window), without bias.

    `mode` is NumPy's name of the padding. None where no window fits, and for what is too large.
    """
    x = _padded(x, pads, mode)
    n, channels = x.shape[:2]
    sizes = _counts(x.shape[2:], weight.shape[2:], stride, dilation)
    if min(sizes) < 1 or n * weight.size * int(np.prod(sizes)) > LARGEST:
        return None
    total = np.zeros((n, groups, len(weight) // groups, *sizes))
    for place, part in _parts(x, weight.shape[2:], sizes, stride, dilation):
        part = part.reshape(n, groups, channels // groups, *sizes)
        index: tuple[Any, ...] = (_ALL, _ALL, *place)
        weights = weight[index].reshape(groups, -1, channels // groups)
        total += np.einsum("gof,ngf...->ngo...", weights, part)
    return total.reshape(n, len(weight), *sizes)


def correlate_transposed(
    x: np.ndarray,
    weight: np.ndarray,
    stride: Sequence[int],
    pads: Pads,
    dilation: Sequence[int],
    groups: int = 1,
    flipped: bool = True,
) -> np.ndarray | None:
    """A transposed convolution (n, in, *space) x (in, out / groups, *window), without bias.

    `pads` are those of the input, once zeros lie between its elements.
    """
    n, channels, *sizes = x.shape
    _, outputs, *window = weight.shape
    spread = np.zeros((n, channels, *((m - 1) * s + 1 for m, s in zip(sizes, stride, strict=True))))
    spread[(_ALL, _ALL, *(slice(None, None, s) for s in stride))] = x
    if flipped:
        weight = np.flip(weight, tuple(range(2, weight.ndim)))
    weight = weight.reshape(groups, channels // groups, outputs, *window).swapaxes(1, 2)
    weight = weight.reshape(-1, channels // groups, *window)
    return correlate(spread, weight, [1] * len(window), pads, dilation, groups)


def pool(
    x: np.ndarray, window: Sequence[int], stride: Sequence[int], pads: Pads,
    dilation: Sequence[int], fill: float, mean: bool,
) -> np.ndarray | None:  # fmt: skip
    """The largest, or the mean, of the elements of each window; the padding has the value `fill`.

    Padding with NaN does not count.
    """
    x = _padded(x, pads, "constant", fill)
    sizes = _counts(x.shape[2:], window, stride, dilation)
    if min(sizes) < 1 or x.size * int(np.prod(window)) > LARGEST:
        return None
    parts = np.stack([part for _, part in _parts(x, window, sizes, stride, dilation)])
    return np.nanmean(parts, axis=0) if mean else np.nanmax(parts, axis=0)


def _padded(x: np.ndarray, pads: Pads, mode: str, fill: float = 0.0) -> np.ndarray:
    more: dict[str, Any] = {"constant_values": fill} if mode == "constant" else {}
    return np.pad(x.astype(np.float64), [(0, 0), (0, 0), *pads], mode, **more)  # type: ignore[call-overload]


def _counts(
    sizes: Sequence[int], window: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> list[int]:
    """How many windows fit on each axis."""
    each = zip(sizes, window, stride, dilation, strict=True)
    return [(size - d * (k - 1) - 1) // s + 1 for size, k, s, d in each]


def _parts(
    x: np.ndarray, window: Sequence[int], counts: Sequence[int], stride: Sequence[int],
    dilation: Sequence[int],
) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:  # fmt: skip
    """For every place in the window, the elements that lie there: (n, channels, *counts)."""
    for place in product(*map(range, window)):
        each = zip(place, dilation, counts, stride, strict=True)
        yield (
            place,
            x[(_ALL, _ALL, *(slice(p * d, p * d + (m - 1) * s + 1, s) for p, d, m, s in each))],
        )
