"""A convolutional autoencoder, in Flax NNX. Pictures lie channels last.

`nnx.ConvTranspose` has no output padding and takes padding otherwise, and `nnx.BatchNorm` keeps the
biased variance, so the layers are `parity.layers`'.
"""

from __future__ import annotations

from flax import nnx
from jax import Array

from parity.layers import BatchNorm, Conv, ConvTranspose


class Autoencoder(nnx.Module):
    """Two convolutions halve the picture, two transposed convolutions double it again."""

    def __init__(self, channels: int = 3, width: int = 8, code: int = 4, *, rngs: nnx.Rngs) -> None:
        halve = {"kernel_size": (3, 3), "stride": 2, "padding": 1, "rngs": rngs}
        double = {**halve, "output_padding": 1}
        # No bias before a batch norm, which would take it away again.
        self.conv1 = Conv(channels, width, bias=False, **halve)
        self.norm1 = BatchNorm(width)
        self.conv2 = Conv(width, code, **halve)
        self.deconv1 = ConvTranspose(code, width, bias=False, **double)
        self.norm2 = BatchNorm(width)
        self.deconv2 = ConvTranspose(width, channels, **double)

    def __call__(self, x: Array) -> tuple[Array, Array]:
        """Pictures (n, h, w, c) -> their reconstruction, and the code (n, h / 4, w / 4, code)."""
        y = nnx.relu(self.norm1(self.conv1(x)))  # (n, h / 2, w / 2, width)
        code = self.conv2(y)  # (n, h / 4, w / 4, code)
        y = nnx.relu(self.norm2(self.deconv1(code)))  # (n, h / 2, w / 2, width)
        return nnx.sigmoid(self.deconv2(y)), code
