"""Convolution with every padding of PyTorch, in any number of dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Literal

import jax.numpy as jnp
from flax import nnx
from jax import lax
from jaxtyping import Array, Float

from parity.layers.axes import per_axis
from parity.layers.initial import uniform

_PAD_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


class Conv(nnx.Module):
    """`torch.nn.Conv1d`, `Conv2d` or `Conv3d`, by the length of `kernel_size`.

    Weight (out, in / groups, *window), bias (out,); pictures (n, *space, channels).
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] | Literal["same", "valid"] = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        rngs: nnx.Rngs,
    ) -> None:
        """Raises ValueError for a padding mode that PyTorch does not have, or sizes that misfit."""
        if padding_mode not in _PAD_MODES:
            raise ValueError(f"padding_mode is {padding_mode!r}, expected one of {[*_PAD_MODES]}")
        axes = len(kernel_size)
        self.kernel_size = tuple(kernel_size)
        self.stride = per_axis(stride, axes)
        self.dilation = per_axis(dilation, axes)
        self.groups = groups
        self.padding_mode = padding_mode
        self.padding = self._padding(padding)
        bound = (in_channels // groups * prod(kernel_size)) ** -0.5
        self.weight = uniform(rngs, (out_channels, in_channels // groups, *kernel_size), bound)
        self.bias = nnx.data(uniform(rngs, (out_channels,), bound) if bias else None)

    def __call__(self, x: Float[Array, "n *space inputs"]) -> Float[Array, "n *then outputs"]:
        if any(map(any, self.padding)):
            pads = ((0, 0), *self.padding, (0, 0))
            x = jnp.pad(x, pads, mode=_PAD_MODES[self.padding_mode])
        space = "DHW"[-len(self.kernel_size) :]
        y = lax.conv_general_dilated(
            x,
            self.weight[...],
            window_strides=self.stride,
            padding="VALID",
            rhs_dilation=self.dilation,
            feature_group_count=self.groups,
            dimension_numbers=(f"N{space}C", f"OI{space}", f"N{space}C"),
        )
        return y if self.bias is None else y + self.bias[...]

    def _padding(
        self, padding: int | Sequence[int] | Literal["same", "valid"]
    ) -> tuple[tuple[int, int], ...]:
        """Before and after, by axis. PyTorch's 'same' puts an odd one after."""
        if padding == "same":
            if set(self.stride) != {1}:
                raise ValueError("padding='same' goes with stride 1 only")
            totals = (d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True))
            return tuple((total // 2, total - total // 2) for total in totals)
        numbers = 0 if padding == "valid" else padding
        assert not isinstance(numbers, str)
        return tuple((p, p) for p in per_axis(numbers, len(self.kernel_size)))
