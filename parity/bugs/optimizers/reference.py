"""A small network in PyTorch, and the optimizers that it is trained with."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class Mlp(nn.Module):
    """Two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(6, 8), nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 6) -> (n, 4)"""
        return self.fc2(torch.tanh(self.fc1(x)))


def sgd(model: nn.Module, rate: float) -> torch.optim.Optimizer:
    """Momentum and weight decay."""
    return torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9, weight_decay=5e-4)


def plain_momentum(model: nn.Module, rate: float) -> torch.optim.Optimizer:
    """Momentum alone."""
    return torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)


def nesterov(model: nn.Module, rate: float) -> torch.optim.Optimizer:
    """Nesterov's momentum."""
    return torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9, nesterov=True)


def dampened(model: nn.Module, rate: float) -> torch.optim.Optimizer:
    """Momentum whose gradients, but for the first, enter with a half."""
    return torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9, dampening=0.5)


def clipped(model: nn.Module, rate: float) -> torch.optim.Optimizer:
    """Momentum, of gradients whose norm is limited to 0.1."""
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)

    def clip(*_: Any) -> None:
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=0.1)

    optimizer.register_step_pre_hook(clip)
    return optimizer
