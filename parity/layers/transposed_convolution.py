"""Transposed convolution as PyTorch defines it: the gradient of a convolution."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import jax.numpy as jnp
from flax import nnx
from jax import lax
from jaxtyping import Array, Float

from parity.layers.axes import per_axis
from parity.layers.initial import uniform


class ConvTranspose(nnx.Module):
    """`torch.nn.ConvTranspose1d`, `2d` or `3d`, by the length of `kernel_size`.

    Weight (in, out / groups, *window), bias (out,); pictures (n, *space, channels). The window is
    flipped, `padding` takes away from the output, and `output_padding` adds at its end.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        output_padding: int | Sequence[int] = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | Sequence[int] = 1,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        axes = len(kernel_size)
        self.kernel_size = tuple(kernel_size)
        self.stride = per_axis(stride, axes)
        self.padding = per_axis(padding, axes)
        self.output_padding = per_axis(output_padding, axes)
        self.dilation = per_axis(dilation, axes)
        self.groups = groups
        # PyTorch takes the weight's second axis for the fan-in, which here counts outputs.
        bound = (out_channels // groups * prod(kernel_size)) ** -0.5
        self.weight = uniform(rngs, (in_channels, out_channels // groups, *kernel_size), bound)
        self.bias = nnx.data(uniform(rngs, (out_channels,), bound) if bias else None)

    def __call__(self, x: Float[Array, "n *space inputs"]) -> Float[Array, "n *then outputs"]:
        space = "DHW"[-len(self.kernel_size) :]
        reach = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
        sizes = zip(reach, self.padding, self.output_padding, strict=True)
        y = lax.conv_general_dilated(
            x,
            self._convolution_weight(),
            window_strides=(1,) * len(reach),
            padding=[(r - p, r - p + extra) for r, p, extra in sizes],
            lhs_dilation=self.stride,
            rhs_dilation=self.dilation,
            feature_group_count=self.groups,
            dimension_numbers=(f"N{space}C", f"OI{space}", f"N{space}C"),
        )
        return y if self.bias is None else y + self.bias[...]

    def _convolution_weight(self) -> Float[Array, "outputs inputs_by_group *window"]:
        weight = self.weight[...]  # (in, out / groups, *window)
        inputs, outputs, *window = weight.shape
        weight = jnp.flip(weight, range(2, weight.ndim))
        weight = weight.reshape(self.groups, inputs // self.groups, outputs, *window)
        return weight.swapaxes(1, 2).reshape(-1, inputs // self.groups, *window)
