"""Two small networks of activations and statistics, in PyTorch."""

from __future__ import annotations

import torch
from torch import nn


class Network(nn.Module):
    """Linear layers with another activation after each."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(5, 6)
        self.gelu = nn.GELU()
        self.fc2 = nn.Linear(6, 6)
        self.leaky = nn.LeakyReLU(0.2)
        self.fc3 = nn.Linear(6, 6)
        self.elu = nn.ELU(0.5)
        self.fc4 = nn.Linear(6, 6)
        self.prelu = nn.PReLU()
        self.head = nn.Linear(6, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (n, 4) of rows (n, 5)."""
        x = self.gelu(self.fc1(x))
        x = self.leaky(self.fc2(x))
        x = self.elu(self.fc3(x))
        return self.head(self.prelu(self.fc4(x)))


class Summary(nn.Module):
    """Statistics over time, and a bucket of a shift that may be negative."""

    def __init__(self) -> None:
        super().__init__()
        self.of_median = nn.Linear(3, 4)
        self.of_deviation = nn.Linear(3, 4)
        self.of_bucket = nn.Embedding(6, 4)

    def forward(self, x: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
        """Logits (n, 4) of series (n, t, 3) and shifts (n,)."""
        median = x.median(dim=1).values
        deviation = x.std(dim=1)
        bucket = torch.div(shift, 4, rounding_mode="trunc") + 3
        return self.of_median(median) + self.of_deviation(deviation) + self.of_bucket(bucket)
