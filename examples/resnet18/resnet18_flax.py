"""torchvision's ResNet-18 in Flax NNX: the same names, the same numbers, the same initial values.

https://arxiv.org/abs/1512.03385, and torchvision/models/resnet.py for what is written here.
"""

from __future__ import annotations

from flax import nnx
from jax.nn.initializers import variance_scaling
from jaxtyping import Array, Float

from parity.layers import BatchNorm, Linear, max_pool

# torchvision: kaiming_normal_(mode="fan_out", nonlinearity="relu")
_kaiming_fan_out = variance_scaling(2.0, "fan_out", "normal")


def conv(inputs: int, outputs: int, size: int, stride: int, rngs: nnx.Rngs) -> nnx.Conv:
    """A convolution without bias. The padding as numbers: 'SAME' is shifted at stride 2."""
    return nnx.Conv(
        inputs,
        outputs,
        kernel_size=(size, size),
        strides=stride,
        padding=size // 2,
        use_bias=False,
        kernel_init=_kaiming_fan_out,
        rngs=rngs,
    )


class BasicBlock(nnx.Module):
    """Two 3x3 convolutions and what goes past them."""

    def __init__(self, inputs: int, outputs: int, stride: int, *, rngs: nnx.Rngs) -> None:
        self.conv1 = conv(inputs, outputs, 3, stride, rngs)
        self.bn1 = BatchNorm(outputs)
        self.conv2 = conv(outputs, outputs, 3, 1, rngs)
        self.bn2 = BatchNorm(outputs)
        self.downsample = nnx.data(None)
        if stride != 1 or inputs != outputs:
            self.downsample = nnx.Sequential(
                conv(inputs, outputs, 1, stride, rngs), BatchNorm(outputs)
            )

    def __call__(self, x: Float[Array, "n h w i"]) -> Float[Array, "n oh ow o"]:
        past = x if self.downsample is None else self.downsample(x)
        x = nnx.relu(self.bn1(self.conv1(x)))
        x = self.bn2(self.conv2(x))
        return nnx.relu(x + past)


class ResNet18(nnx.Module):
    """`torchvision.models.resnet18`; pictures channels last."""

    def __init__(self, num_classes: int = 1000, *, rngs: nnx.Rngs) -> None:
        self.conv1 = conv(3, 64, 7, 2, rngs)
        self.bn1 = BatchNorm(64)
        self.layer1 = _two_blocks(64, 64, 1, rngs)
        self.layer2 = _two_blocks(64, 128, 2, rngs)
        self.layer3 = _two_blocks(128, 256, 2, rngs)
        self.layer4 = _two_blocks(256, 512, 2, rngs)
        self.fc = Linear(512, num_classes, rngs=rngs)  # starts as PyTorch's does

    def __call__(self, x: Float[Array, "n h w 3"]) -> Float[Array, "n classes"]:
        x = nnx.relu(self.bn1(self.conv1(x)))  # (n, h/2, w/2, 64)
        # After a ReLU many a maximum is 0 several times; PyTorch's gradient goes to the first.
        x = max_pool(x, (3, 3), stride=2, padding=1)  # (n, h/4, w/4, 64)
        x = self.layer1(x)
        x = self.layer2(x)  # (n, h/8, w/8, 128)
        x = self.layer3(x)  # (n, h/16, w/16, 256)
        x = self.layer4(x)  # (n, h/32, w/32, 512)
        return self.fc(x.mean((1, 2)))


def _two_blocks(inputs: int, outputs: int, stride: int, rngs: nnx.Rngs) -> nnx.Sequential:
    return nnx.Sequential(
        BasicBlock(inputs, outputs, stride, rngs=rngs), BasicBlock(outputs, outputs, 1, rngs=rngs)
    )
