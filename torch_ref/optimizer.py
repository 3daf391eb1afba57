"""Stochastic gradient descent by the recipe."""

from __future__ import annotations

import torch

from experiment.recipe import Recipe
from torch_ref.model import Cnn


def build_optimizer(model: Cnn, recipe: Recipe) -> torch.optim.SGD:
    """torch.optim.SGD over all parameters: weight decay, then momentum, then the learning rate."""
    return torch.optim.SGD(
        model.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
    )
