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
from jaxtyping import Array, Float, Int32

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
    pairs = []
    for recipe in recipes:
        model = Cnn(recipe)
        pairs.append(nnx.split((model, build_optimizer(model, recipe))))
    states = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(state for _, state in pairs))
    return Replicas(pairs[0][0], states)


def train_replicas(
    replicas: Replicas, split: Split, rows: Int32[Array, "replicas rows n"]
) -> tuple[Replicas, Float[np.ndarray, "replicas rows"]]:
    """Train each replica on its own rows of batches; returns them and their losses.

    The replicas that were given are lost, since the program works in their memory.
    """
    states, losses = _train(replicas.graph, replicas.states, split, rows)
    return replicas._replace(states=states), np.asarray(losses)


@partial(jax.jit, static_argnames="graph", donate_argnames="states")
def _train(
    graph: nnx.GraphDef[Any], states: Any, split: Split, rows: Int32[Array, "replicas rows n"]
) -> tuple[Any, Float[Array, "replicas rows"]]:
    def one(state: Any, rows: Int32[Array, "rows n"]) -> tuple[Any, Float[Array, " rows"]]:
        state, (losses, _) = train_steps(graph, state, split, rows, 0, len(rows))
        return state, losses

    def in_turn(states: Any, rows: Array) -> Any:
        return lax.map(lambda both: one(*both), (states, rows))

    # A GPU has room for all of them in every step. A CPU has not: there one replica's weights and
    # activations stay in the cache until its turn is over.
    return lax.platform_dependent(states, rows, cpu=in_turn, default=jax.vmap(one))
