"""Convolutions and poolings with every option that a port loses, in PyTorch."""

from __future__ import annotations

from torch import Tensor, nn


class Convolutions(nn.Module):
    """The beginning of a classifier: pictures (n, 3, h, w) -> (n, 5)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.grouped = nn.Conv2d(6, 6, 3, padding=1, groups=2)
        self.dilated = nn.Conv2d(6, 6, 3, padding=2, dilation=2)
        self.head = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        """Any number for each class."""
        x = self.pool(self.stem(x))
        x = self.dilated(self.grouped(x)).tanh()
        return self.head(x.mean((2, 3)))


class PaddingModes(nn.Module):
    """A filter of pictures that invents no dark border: (n, 3, h, w) -> (n, 3, h, w)."""

    def __init__(self) -> None:
        super().__init__()
        self.reflect = nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect")
        self.replicate = nn.Conv2d(4, 4, 3, padding=1, padding_mode="replicate")
        self.circular = nn.Conv2d(4, 3, 3, padding=1, padding_mode="circular")

    def forward(self, x: Tensor) -> Tensor:
        """Pictures between -1 and 1."""
        return self.circular(self.replicate(self.reflect(x))).tanh()


class Upsampling(nn.Module):
    """A decoder's last layers, and the mean of what it draws: (n, 3, h, w) -> (n, 2)."""

    def __init__(self) -> None:
        super().__init__()
        self.average = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        self.up = nn.ConvTranspose2d(3, 2, 3, stride=2, padding=1, output_padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Means between -1 and 1."""
        return self.up(self.average(x)).tanh().mean((2, 3))
