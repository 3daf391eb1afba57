"""Stochastic gradient descent by the recipe."""

from __future__ import annotations

import optax
from flax import nnx

from experiment.recipe import Recipe
from jax_impl.model import Cnn


def build_optimizer(model: Cnn, recipe: Recipe) -> nnx.Optimizer[Cnn]:
    """torch.optim.SGD over all parameters: weight decay, then momentum, then the learning rate."""
    sgd = optax.chain(
        optax.add_decayed_weights(recipe.weight_decay),
        optax.sgd(
            recipe.learning_rate,
            # 0 would keep a momentum buffer that PyTorch does not have.
            momentum=recipe.momentum or None,
            nesterov=recipe.nesterov,
        ),
    )
    return nnx.Optimizer(model, sgd, wrt=nnx.Param)
