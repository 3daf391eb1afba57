"""Several trainings at once, each with a seed of its own, in one program.

PyTorch would run them one after another: the file has no twin.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import lax
from jaxtyping import Array, Float, Int, Int32

from experiment.recipe import Recipe
from jax_impl.batches import Split
from jax_impl.epoch import train_steps
from jax_impl.model import Cnn
from jax_impl.optimizer import build_optimizer


class Replicas(NamedTuple):
    """Models and optimizers of several seeds, alike in all but their numbers."""

    graph: nnx.GraphDef[Any]
    states: Any
    """What `nnx.split` leaves of model and optimizer, with a first axis of replicas."""


def build_replicas(recipes: Sequence[Recipe]) -> Replicas:
    """A model and an optimizer for each recipe; the recipes differ in the seed alone."""
    models = [Cnn(recipe) for recipe in recipes]
    return stack(
        [
            (model, build_optimizer(model, recipe))
            for model, recipe in zip(models, recipes, strict=True)
        ]
    )


def stack(trainings: Sequence[tuple[Cnn, nnx.Optimizer[Cnn]]]) -> Replicas:
    """Trainings as replicas; each stays as it is."""
    pairs = [nnx.split(training) for training in trainings]
    states = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(state for _, state in pairs))
    return Replicas(pairs[0][0], states)


def unstack(replicas: Replicas, trainings: Sequence[tuple[Cnn, nnx.Optimizer[Cnn]]]) -> None:
    """Put the replicas' numbers back into the trainings that were stacked, in place."""
    for place, training in enumerate(trainings):
        nnx.update(training, jax.tree.map(lambda leaf, at=place: leaf[at], replicas.states))


def train_replicas(
    replicas: Replicas, split: Split, rows: Int32[Array, "replicas rows n"]
) -> tuple[Replicas, Float[np.ndarray, "replicas rows"], Int[np.ndarray, "replicas rows"]]:
    """Train each replica on its own rows of batches; returns them, their losses and their hits.

    The replicas that were given are lost, since the program works in their memory.
    """
    states, (losses, hits) = _train(replicas.graph, replicas.states, split, rows)
    return replicas._replace(states=states), np.asarray(losses), np.asarray(hits)


@partial(jax.jit, static_argnames="graph", donate_argnames="states")
def _train(
    graph: nnx.GraphDef[Any], states: Any, split: Split, rows: Int32[Array, "replicas rows n"]
) -> Any:
    def one(state: Any, rows: Int32[Array, "rows n"]) -> Any:
        return train_steps(graph, state, split, rows, 0, len(rows))

    def in_turn(states: Any, rows: Array) -> Any:
        return lax.map(lambda both: one(*both), (states, rows))

    # A GPU has room for all of them in every step. A CPU has not: there one replica's weights and
    # activations stay in the cache until its turn is over.
    return lax.platform_dependent(states, rows, cpu=in_turn, default=jax.vmap(one))
