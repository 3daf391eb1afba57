"""A small network in PyTorch, and its training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from parity.bugs.training.data import TEST, batches


class Head(nn.Module):
    """Two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(8, 5), nn.Linear(5, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 8) -> (n, 4)"""
        return self.out(torch.tanh(self.hidden(x)))


class Network(nn.Module):
    """A linear layer, a batch norm, a head."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.norm, self.head = nn.Linear(6, 8), nn.BatchNorm1d(8), Head()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 6) -> (n, 4)"""
        return self.head(torch.tanh(self.norm(self.fc1(x))))


def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean squared error."""
    return ((outputs - targets) ** 2).mean()


def sgd(model: nn.Module, rate: float) -> torch.optim.Optimizer:
    """Momentum."""
    return torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)


def train(model: nn.Module, optimizer: torch.optim.Optimizer, epoch: int) -> Mapping[str, Any]:
    """An epoch; the losses, and their mean over the batches."""
    model.train()
    losses = []
    for inputs, targets in batches(epoch):
        optimizer.zero_grad()
        value = loss(model(_tensor(model, inputs)), _tensor(model, targets))
        value.backward()
        optimizer.step()
        losses.append(value.item())
    return {"losses": np.array(losses), "train_loss": np.mean(losses)}


def evaluate(model: nn.Module) -> Mapping[str, Any]:
    """The loss on the test data."""
    model.eval()
    with torch.no_grad():
        inputs, targets = (_tensor(model, array) for array in TEST)
        return {"loss": loss(model(inputs), targets).item()}


def _tensor(model: nn.Module, array: np.ndarray) -> torch.Tensor:
    return torch.tensor(array).to(next(model.parameters()).dtype)
