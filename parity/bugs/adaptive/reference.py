"""PyTorch's optimizers that divide by gradients."""

from __future__ import annotations

import torch
from torch import nn


def adam(model: nn.Module, rate: float) -> torch.optim.Optimizer:
    """Adam, whose decay is added to the gradient."""
    return torch.optim.Adam(model.parameters(), lr=rate, weight_decay=1e-2)


def adamw(model: nn.Module, rate: float) -> torch.optim.Optimizer:
    """AdamW as it comes: its decay is 1e-2."""
    return torch.optim.AdamW(model.parameters(), lr=rate)


def rmsprop(model: nn.Module, rate: float) -> torch.optim.Optimizer:
    """RMSprop as it comes: alpha is 0.99, eps is added to the root."""
    return torch.optim.RMSprop(model.parameters(), lr=rate)


def adagrad(model: nn.Module, rate: float) -> torch.optim.Optimizer:
    """Adagrad as it comes: its sums start at 0."""
    return torch.optim.Adagrad(model.parameters(), lr=rate)
