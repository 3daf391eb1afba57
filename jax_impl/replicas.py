"""Several trainings at once, each with a seed of its own, in one program.

They are divided among the devices, and those of one device take turns, or on a GPU train side by
side. A CPU is one device, whose cores share every operation of a step; two trainings on a core each
are faster than two in turn on both, since no core waits for the other. `use_every_core` makes each
core a device. PyTorch would run them one after another: the file has no twin.
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
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, Int, Int32

from experiment.provenance import cores
from experiment.recipe import Recipe
from jax_impl.batches import Split
from jax_impl.epoch import train_steps
from jax_impl.model import Cnn
from jax_impl.optimizer import build_optimizer

_AXIS = "replicas"


class Replicas(NamedTuple):
    """Models and optimizers of several seeds, alike in all but their numbers."""

    graph: nnx.GraphDef[Any]
    states: Any
    """What `nnx.split` leaves of model and optimizer, with a first axis of replicas."""


def use_every_core(count: int) -> None:
    """Have JAX see a CPU as several devices, as many as so many replicas can use.

    To be called before JAX has been used. Raises `RuntimeError` after that.
    """
    jax.config.update("jax_num_cpu_devices", _shared(count, cores()))


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
    states = jax.device_get(replicas.states)
    for place, training in enumerate(trainings):
        mine = jax.tree.map(lambda leaf, at=place: leaf[at], states)
        nnx.update(training, jax.device_put(mine, jax.devices()[0]))


def train_replicas(
    replicas: Replicas, split: Split, rows: Int32[Array, "replicas rows n"]
) -> tuple[Replicas, Float[np.ndarray, "replicas rows"], Int[np.ndarray, "replicas rows"]]:
    """Train each replica on its own rows of batches; returns them, their losses and their hits.

    The replicas that were given are lost, since the program works in their memory.
    """
    mesh = _mesh(len(rows), next(iter(split.images.devices())).platform)
    divided, whole = NamedSharding(mesh, PartitionSpec(_AXIS)), NamedSharding(mesh, PartitionSpec())
    states, rows = jax.device_put((replicas.states, rows), divided)
    states, (losses, hits) = _train(
        replicas.graph, mesh, states, jax.device_put(split, whole), rows
    )
    return replicas._replace(states=states), np.asarray(losses), np.asarray(hits)


def _shared(count: int, devices: int) -> int:
    """Among how many of the devices so many replicas can be divided evenly."""
    return max(n for n in range(1, devices + 1) if count % n == 0)


def _mesh(count: int, platform: str) -> Mesh:
    devices = jax.devices(platform)
    return Mesh(np.array(devices[: _shared(count, len(devices))]), (_AXIS,))


@partial(jax.jit, static_argnames=("graph", "mesh"), donate_argnames="states")
def _train(
    graph: nnx.GraphDef[Any],
    mesh: Mesh,
    states: Any,
    split: Split,
    rows: Int32[Array, "replicas rows n"],
) -> Any:
    def one(split: Split, state: Any, rows: Int32[Array, "rows n"]) -> Any:
        return train_steps(graph, state, split, rows, 0, len(rows))

    def in_turn(split: Split, states: Any, rows: Array) -> Any:
        return lax.map(lambda both: one(split, *both), (states, rows))

    def on_one_device(split: Split, states: Any, rows: Array) -> Any:
        # A GPU has room for all of them in every step. A CPU has not: there one replica's weights
        # and activations stay in the cache until its turn is over.
        side_by_side = jax.vmap(one, in_axes=(None, 0, 0))
        return lax.platform_dependent(split, states, rows, cpu=in_turn, default=side_by_side)

    whole, divided = PartitionSpec(), PartitionSpec(_AXIS)
    return jax.shard_map(
        on_one_device,
        mesh=mesh,
        in_specs=(whole, divided, divided),
        out_specs=divided,
        check_vma=False,  # nothing crosses between the devices
    )(split, states, rows)
