"""The same convolutions in Flax NNX: stock layers where they can say it, `parity.layers` else.

`nnx.Conv` cannot say 'replicate', nor how much a 'REFLECT' or 'CIRCULAR' padding shall be: it is
always what keeps the size at stride 1. `nnx.ConvTranspose` has no groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import jax
from flax import nnx
from jax.nn.initializers import Initializer
from jaxtyping import Array, Float

from parity.layers import Conv, ConvTranspose


def conv(inputs: int, outputs: int, window: Sequence[int], **options: Any) -> nnx.Conv:
    """`nnx.Conv` that starts as PyTorch's does, and pads nothing unless it is told to."""
    fan_in = inputs // options.get("feature_group_count", 1) * prod(window)
    options = {"padding": "VALID", **_pytorch_uniform(fan_in), **options}
    return nnx.Conv(inputs, outputs, window, **options)


def up(inputs: int, outputs: int, window: Sequence[int], **options: Any) -> nnx.ConvTranspose:
    """`nnx.ConvTranspose` that is the gradient of a convolution, as PyTorch's is."""
    # PyTorch takes the weight's second axis for the fan-in, which here counts outputs.
    options = {**_pytorch_uniform(outputs * prod(window)), **options}
    return nnx.ConvTranspose(inputs, outputs, window, transpose_kernel=True, **options)


def _pytorch_uniform(fan_in: int) -> dict[str, Initializer]:
    """U(-1/sqrt(fan_in), 1/sqrt(fan_in)) for both kernel and bias."""
    bound = fan_in**-0.5

    def init(key: Array, shape: Any, dtype: Any = float, out_sharding: Any = None) -> Array:
        return jax.random.uniform(key, shape, dtype, minval=-bound, maxval=bound)

    return {"kernel_init": init, "bias_init": init}


class Branch(nnx.Module):
    """Layers side by side on one input; returns what each makes of it, by name."""

    def __call__(self, x: Float[Array, "n *space c"]) -> dict[str, Array]:
        return {str(name): layer(x) for name, layer in nnx.iter_children(self)}


class Signals(Branch):
    """One dimension: (n, length, 4)."""

    def __init__(self, *, rngs: nnx.Rngs) -> None:
        self.plain = conv(4, 6, (3,), rngs=rngs)
        self.strided = conv(4, 6, (4,), strides=3, padding=2, rngs=rngs)
        self.dilated = conv(4, 6, (3,), kernel_dilation=3, feature_group_count=2, rngs=rngs)
        self.same = conv(4, 6, (4,), padding="SAME", rngs=rngs)
        self.reflect = Conv(4, 6, (3,), padding=3, padding_mode="reflect", rngs=rngs)
        self.replicate = Conv(4, 6, (3,), padding=2, padding_mode="replicate", rngs=rngs)
        self.circular = conv(4, 6, (5,), padding="CIRCULAR", rngs=rngs)
        # PyTorch's padding p and output_padding q are (d(k-1) - p, d(k-1) - p + q) here.
        self.up = up(4, 6, (4,), strides=3, padding=((2, 4),), rngs=rngs)
        self.up_grouped = ConvTranspose(4, 6, (3,), stride=2, groups=2, dilation=2, rngs=rngs)


class Pictures(Branch):
    """Two dimensions: (n, height, width, 4)."""

    def __init__(self, *, rngs: nnx.Rngs) -> None:
        three = (3, 3)
        self.plain = conv(4, 6, (3, 2), rngs=rngs)
        self.pointwise = conv(4, 6, (1, 1), use_bias=False, rngs=rngs)
        # Not 'SAME', which at stride 2 pads an even size behind only.
        self.strided = conv(4, 6, three, strides=2, padding=1, rngs=rngs)
        self.strided_by_axis = conv(4, 6, (4, 3), strides=(2, 3), padding=(2, 0), rngs=rngs)
        self.same = conv(4, 6, (3, 4), padding="SAME", kernel_dilation=(1, 3), rngs=rngs)
        self.valid = conv(4, 6, (5, 5), padding="VALID", rngs=rngs)
        self.dilated = conv(4, 6, three, padding=2, kernel_dilation=2, rngs=rngs)
        self.grouped = conv(4, 6, three, feature_group_count=2, rngs=rngs)
        self.depthwise = conv(4, 8, three, padding=1, feature_group_count=4, rngs=rngs)
        self.reflect = conv(4, 6, three, padding="REFLECT", rngs=rngs)
        self.reflect_wide = Conv(4, 6, three, padding=(3, 2), padding_mode="reflect", rngs=rngs)
        self.replicate = Conv(4, 6, three, stride=2, padding=2, padding_mode="replicate", rngs=rngs)
        self.circular = conv(4, 6, three, padding="CIRCULAR", kernel_dilation=2, rngs=rngs)
        self.circular_same = conv(4, 6, (4, 4), padding="CIRCULAR", rngs=rngs)
        self.up = up(4, 6, three, strides=(2, 2), padding=((1, 2), (1, 2)), rngs=rngs)
        self.up_dilated = up(
            4, 6, (2, 3), strides=(3, 1), kernel_dilation=(1, 2), padding=(1, 4), rngs=rngs
        )
        self.up_grouped = ConvTranspose(4, 6, (4, 4), stride=2, padding=1, groups=2, rngs=rngs)


class Volumes(Branch):
    """Three dimensions: (n, depth, height, width, 2)."""

    def __init__(self, *, rngs: nnx.Rngs) -> None:
        three = (3, 3, 3)
        self.plain = conv(2, 4, (2, 3, 3), rngs=rngs)
        self.strided = conv(
            2, 4, three, strides=(1, 2, 3), padding=(0, 1, 2), feature_group_count=2, rngs=rngs
        )
        self.dilated = conv(2, 4, (2, 2, 2), kernel_dilation=(1, 2, 3), rngs=rngs)
        self.reflect = Conv(2, 4, three, padding=(1, 2, 3), padding_mode="reflect", rngs=rngs)
        self.replicate = Conv(2, 4, (2, 2, 2), padding=1, padding_mode="replicate", rngs=rngs)
        self.circular = conv(2, 4, three, padding="CIRCULAR", rngs=rngs)
        self.up = ConvTranspose(
            2,
            4,
            (2, 3, 4),
            stride=(1, 2, 3),
            padding=(0, 1, 2),
            output_padding=(0, 1, 2),
            groups=2,
            rngs=rngs,
        )


class ConvolutionZoo(nnx.Module):
    """All branches; outputs by branch and layer."""

    def __init__(self, *, rngs: nnx.Rngs) -> None:
        self.signals = Signals(rngs=rngs)
        self.pictures = Pictures(rngs=rngs)
        self.volumes = Volumes(rngs=rngs)

    def __call__(self, signal: Array, picture: Array, volume: Array) -> dict[str, dict[str, Array]]:
        return {
            "signals": self.signals(signal),
            "pictures": self.pictures(picture),
            "volumes": self.volumes(volume),
        }
