"""torchvision's MobileNetV2 in Flax NNX: the same names, the same numbers, the same initial values.

https://arxiv.org/abs/1801.04381, and torchvision/models/mobilenetv2.py for what is written here.
All layers are stock NNX. One thing differs from PyTorch by design: `nnx.BatchNorm` keeps the biased
running variance; `parity.layers.BatchNorm` keeps PyTorch's.
"""

from __future__ import annotations

from collections.abc import Sequence

from flax import nnx
from jax.nn.initializers import normal, variance_scaling
from jaxtyping import Array, Float

Blocks = Sequence[tuple[int, int, int, int]]

# Expansion, channels, how many blocks, stride of the first of them.
BLOCKS: Blocks = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)

# torchvision: kaiming_normal_(mode="fan_out")
_kaiming_fan_out = variance_scaling(2.0, "fan_out", "normal")


def divisible(channels: float) -> int:
    """The nearest multiple of 8, but never less than 9/10 of what was asked for."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8


def conv(
    inputs: int, outputs: int, size: int, rngs: nnx.Rngs, stride: int = 1, groups: int = 1
) -> nnx.Conv:
    """A convolution without bias. The padding as numbers: 'SAME' is shifted at stride 2."""
    return nnx.Conv(
        inputs,
        outputs,
        kernel_size=(size, size),
        strides=stride,
        padding=size // 2,
        feature_group_count=groups,
        use_bias=False,
        kernel_init=_kaiming_fan_out,
        rngs=rngs,
    )


def norm(channels: int, rngs: nnx.Rngs) -> nnx.BatchNorm:
    """PyTorch's momentum 0.1 is the share of the new batch, NNX's that of the old statistics."""
    return nnx.BatchNorm(channels, momentum=0.9, use_fast_variance=False, rngs=rngs)


def conv_norm_relu(
    inputs: int, outputs: int, size: int, rngs: nnx.Rngs, stride: int = 1, groups: int = 1
) -> nnx.Sequential:
    """torchvision's Conv2dNormActivation."""
    return nnx.Sequential(
        conv(inputs, outputs, size, rngs, stride, groups), norm(outputs, rngs), nnx.relu6
    )


class InvertedResidual(nnx.Module):
    """Expand the channels, filter each for itself, project them back."""

    def __init__(
        self, inputs: int, outputs: int, stride: int, expansion: int, *, rngs: nnx.Rngs
    ) -> None:
        hidden = inputs * expansion
        self.residual = stride == 1 and inputs == outputs
        layers: list[nnx.Module] = (
            [] if expansion == 1 else [conv_norm_relu(inputs, hidden, 1, rngs)]
        )
        layers += [
            conv_norm_relu(hidden, hidden, 3, rngs, stride, groups=hidden),
            conv(hidden, outputs, 1, rngs),
            norm(outputs, rngs),
        ]
        self.conv = nnx.Sequential(*layers)

    def __call__(self, x: Float[Array, "n h w i"]) -> Float[Array, "n oh ow o"]:
        return x + self.conv(x) if self.residual else self.conv(x)


class MobileNetV2(nnx.Module):
    """`torchvision.models.mobilenet_v2`; pictures channels last."""

    def __init__(
        self,
        num_classes: int = 1000,
        width_mult: float = 1.0,
        blocks: Blocks = BLOCKS,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        inputs, last = divisible(32 * width_mult), divisible(1280 * max(1.0, width_mult))
        features: list[nnx.Module] = [conv_norm_relu(3, inputs, 3, rngs, stride=2)]
        for expansion, channels, count, first_stride in blocks:
            outputs = divisible(channels * width_mult)
            for index in range(count):
                stride = first_stride if index == 0 else 1
                features.append(InvertedResidual(inputs, outputs, stride, expansion, rngs=rngs))
                inputs = outputs
        features.append(conv_norm_relu(inputs, last, 1, rngs))
        self.features = nnx.Sequential(*features)
        self.classifier = nnx.Sequential(
            nnx.Dropout(0.2, rngs=rngs),
            nnx.Linear(last, num_classes, kernel_init=normal(0.01), rngs=rngs),
        )

    def __call__(self, x: Float[Array, "n h w 3"]) -> Float[Array, "n classes"]:
        x = self.features(x)  # (n, h/32, w/32, 1280), with all blocks
        return self.classifier(x.mean((1, 2)))
