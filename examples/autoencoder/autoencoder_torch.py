"""A convolutional autoencoder, in PyTorch."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Autoencoder(nn.Module):
    """Two convolutions halve the picture, two transposed convolutions double it again."""

    def __init__(self, channels: int = 3, width: int = 8, code: int = 4) -> None:
        super().__init__()
        halve = {"kernel_size": 3, "stride": 2, "padding": 1}
        double = {**halve, "output_padding": 1}
        # No bias before a batch norm, which would take it away again.
        self.conv1 = nn.Conv2d(channels, width, bias=False, **halve)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, code, **halve)
        self.deconv1 = nn.ConvTranspose2d(code, width, bias=False, **double)
        self.norm2 = nn.BatchNorm2d(width)
        self.deconv2 = nn.ConvTranspose2d(width, channels, **double)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (n, c, h, w) -> their reconstruction, and the code (n, code, h / 4, w / 4)."""
        y = torch.relu(self.norm1(self.conv1(x)))  # (n, width, h / 2, w / 2)
        code = self.conv2(y)  # (n, code, h / 4, w / 4)
        y = torch.relu(self.norm2(self.deconv1(code)))  # (n, width, h / 2, w / 2)
        return torch.sigmoid(self.deconv2(y)), code
