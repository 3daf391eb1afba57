"""Two small networks with normalisations, in PyTorch."""

from __future__ import annotations

import torch
from torch import nn


class Network(nn.Module):
    """A convolution with bias and a batch-norm, then a group-norm and a layer-norm."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.bn = nn.BatchNorm2d(6)
        self.group = nn.GroupNorm(2, 6)
        self.norm = nn.LayerNorm(6)
        self.head = nn.Linear(6, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (n, 4) of pictures (n, 3, h, w)."""
        x = torch.relu(self.bn(self.conv(x)))
        x = torch.relu(self.group(x))
        return self.head(self.norm(x.mean((2, 3))))


class Sensor(nn.Module):
    """A batch-norm of raw readings, far from zero."""

    def __init__(self) -> None:
        super().__init__()
        self.bn = nn.BatchNorm1d(5)
        self.head = nn.Linear(5, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (n, 4) of readings (n, 5)."""
        return self.head(self.bn(x))
