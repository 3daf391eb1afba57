"""Replicas in one program learn what each of them would have learnt alone."""

from __future__ import annotations

import subprocess
import sys

import jax
import numpy as np
import pytest
from flax import nnx

from experiment.batches import epoch_order
from experiment.recipe import Recipe
from jax_impl.batches import device_batches, to_device
from jax_impl.epoch import train_epoch, train_steps
from jax_impl.model import Cnn
from jax_impl.optimizer import build_optimizer
from jax_impl.replicas import build_replicas, train_replicas

SIZE, BATCH = 24, 8


def test_each_replica_is_its_training_alone() -> None:
    random = np.random.default_rng(0)
    split = to_device(
        random.integers(0, 256, (SIZE, 32, 32, 3), dtype=np.uint8),
        random.integers(0, 10, SIZE, dtype=np.uint8),
        jax.devices("cpu")[0],
    )
    recipes = [Recipe(seed=seed, batch_size=BATCH) for seed in (1, 2)]
    passes = [device_batches(split, epoch_order(recipe.seed, 1, SIZE), BATCH) for recipe in recipes]
    rows = jax.numpy.stack([batches.full for batches in passes])
    replicas, losses, _ = train_replicas(build_replicas(recipes), split, rows)
    for place, (recipe, batches) in enumerate(zip(recipes, passes, strict=True)):
        model = Cnn(recipe)
        optimizer = build_optimizer(model, recipe)
        alone: list[np.ndarray] = []
        train_epoch(model, optimizer, batches, alone.append)
        np.testing.assert_allclose(losses[place], np.concatenate(alone), rtol=1e-6)
        _, state = nnx.split((model, optimizer))
        mine = jax.tree.leaves(jax.tree.map(lambda leaf, at=place: leaf[at], replicas.states))
        for found, expected in zip(mine, jax.tree.leaves(state), strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.slow
def test_side_by_side_they_learn_what_they_learn_in_turn() -> None:
    """On a CPU they train in turn; a GPU trains them side by side."""
    random = np.random.default_rng(0)
    split = to_device(
        random.integers(0, 256, (SIZE, 32, 32, 3), dtype=np.uint8),
        random.integers(0, 10, SIZE, dtype=np.uint8),
        jax.devices("cpu")[0],
    )
    start = build_replicas([Recipe(seed=seed, batch_size=BATCH) for seed in (1, 2)])
    orders = [epoch_order(seed, 1, SIZE) for seed in (1, 2)]
    rows = jax.numpy.stack([device_batches(split, order, BATCH).full for order in orders])
    _, (side_by_side, hits) = jax.jit(
        jax.vmap(lambda state, some: train_steps(start.graph, state, split, some, 0, len(some)))
    )(start.states, rows)
    _, losses, right = train_replicas(start, split, rows)
    np.testing.assert_allclose(side_by_side, losses, rtol=1e-6)
    np.testing.assert_array_equal(hits, right)


def test_on_a_core_each_they_learn_what_they_learn_alone() -> None:
    """In a process of its own: the number of devices is chosen before JAX is used."""
    done = subprocess.run(
        [sys.executable, "-c", ON_TWO_CORES], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["2", "devices", "equal"]


ON_TWO_CORES = f"""
import numpy as np, jax
from jax_impl import replicas
from jax_impl.batches import device_batches, to_device
from jax_impl.epoch import train_epoch
from experiment.batches import epoch_order
from experiment.recipe import Recipe

replicas.cores = lambda: 2
replicas.use_every_core(4)
random = np.random.default_rng(0)
split = to_device(
    random.integers(0, 256, ({SIZE}, 32, 32, 3), dtype=np.uint8),
    random.integers(0, 10, {SIZE}, dtype=np.uint8),
    jax.devices("cpu")[0],
)
recipes = [Recipe(seed=seed, batch_size={BATCH}) for seed in range(4)]
models = [replicas.Cnn(recipe) for recipe in recipes]
trainings = [(m, replicas.build_optimizer(m, r)) for m, r in zip(models, recipes)]
passes = [device_batches(split, epoch_order(r.seed, 1, {SIZE}), {BATCH}) for r in recipes]
together = replicas.stack(trainings)
for _ in range(2):  # the second pass begins where the first has left them, on both devices
    rows = jax.numpy.stack([batches.full for batches in passes])
    together, losses, _ = replicas.train_replicas(together, split, rows)
devices = {{leaf.sharding.num_devices for leaf in jax.tree.leaves(together.states)}}
for place, ((model, optimizer), batches) in enumerate(zip(trainings, passes)):
    for _ in range(2):
        alone = []
        train_epoch(model, optimizer, batches, alone.append)
    np.testing.assert_array_equal(losses[place], np.concatenate(alone))
replicas.unstack(together, trainings)
print(*devices, "devices", "equal")
"""
