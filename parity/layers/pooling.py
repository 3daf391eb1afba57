"""Max and average pooling with PyTorch's padding, ceil_mode and ties."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from parity.layers.axes import per_axis

Sizes = int | Sequence[int]


def max_pool(
    x: Float[Array, "n *space c"],
    window: Sequence[int],
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
) -> Float[Array, "n *then c"]:
    """`torch.nn.functional.max_pool1d`, `2d` or `3d`, by the length of `window`.

    The gradient goes to the first of several maxima, in row order, and NaN wins.
    """
    windows = _Windows(x.shape, window, stride, padding, dilation, ceil_mode)
    slices = windows.slices(x, fill=-jnp.inf)
    largest = next(slices)
    for other in slices:
        largest = jnp.where((other > largest) | jnp.isnan(other), other, largest)
    return largest


def avg_pool(
    x: Float[Array, "n *space c"],
    window: Sequence[int],
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Float[Array, "n *then c"]:
    """`torch.nn.functional.avg_pool1d`, `2d` or `3d`, by the length of `window`.

    The padding counts unless `count_include_pad` is off; what `ceil_mode` adds never does.
    """
    windows = _Windows(x.shape, window, stride, padding, 1, ceil_mode)
    total = sum(windows.slices(x, fill=0.0), jnp.zeros((), x.dtype))
    if divisor_override:
        return total / divisor_override
    return total / jnp.asarray(windows.counts(count_include_pad), x.dtype)[..., None]


class _Windows:
    """Where the windows lie on each axis."""

    def __init__(
        self,
        shape: tuple[int, ...],
        window: Sequence[int],
        stride: Sizes | None,
        padding: Sizes,
        dilation: Sizes,
        ceil_mode: bool,
    ) -> None:
        axes = len(window)
        self.window, self.sizes = tuple(window), shape[1:-1]
        self.stride = per_axis(window if stride is None else stride, axes)
        self.padding, self.dilation = per_axis(padding, axes), per_axis(dilation, axes)
        self.count = [self._count(axis, ceil_mode) for axis in range(axes)]

    def _count(self, axis: int, ceil_mode: bool) -> int:
        size, pad, stride = self.sizes[axis], self.padding[axis], self.stride[axis]
        room = size + 2 * pad - self.dilation[axis] * (self.window[axis] - 1) - 1
        if not ceil_mode:
            return room // stride + 1
        count = -(-room // stride) + 1
        # A window that would start in the padding behind the picture is dropped.
        return count - 1 if (count - 1) * stride >= size + pad else count

    def slices(self, x: Array, fill: float) -> Iterator[Array]:
        """For every place in the window, in row order, the elements that lie there."""
        pads = [(0, 0)]
        for axis, count in enumerate(self.count):
            reach = self.dilation[axis] * (self.window[axis] - 1)
            end = (count - 1) * self.stride[axis] + reach + 1
            before = self.padding[axis]
            pads.append((before, max(end - self.sizes[axis] - before, 0)))
        x = jnp.pad(x, [*pads, (0, 0)], constant_values=fill)
        strides = (1, *self.stride, 1)
        for place in product(*map(range, self.window)):
            start = (0, *(p * d for p, d in zip(place, self.dilation, strict=True)), 0)
            steps = zip(start[1:-1], self.count, self.stride, strict=True)
            stop = (len(x), *(s + (c - 1) * step + 1 for s, c, step in steps), x.shape[-1])
            yield lax.slice(x, start, stop, strides)

    def counts(self, include_padding: bool) -> np.ndarray:
        """How many elements each window averages: (*then,)"""
        counts = np.ones(())
        for axis, count in enumerate(self.count):
            start = np.arange(count) * self.stride[axis] - self.padding[axis]
            last = self.sizes[axis] + self.padding[axis] * include_padding
            stop = np.minimum(start + self.window[axis], last)
            first = start if include_padding else np.maximum(start, 0)
            counts = counts[..., None] * (stop - first)
        return counts
