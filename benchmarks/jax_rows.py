"""JAX's rows: each function returns what one repeat does, and does its first setting up."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from experiment.batches import epoch_order, split_batches
from experiment.recipe import Recipe
from jax_impl.batches import device_batches, to_device
from jax_impl.device import select_device
from jax_impl.epoch import evaluate, train_epoch
from jax_impl.model import Cnn
from jax_impl.optimizer import build_optimizer
from jax_impl.replicas import build_replicas, train_replicas, use_every_core

Repeat = Callable[[], float]


def as_shipped(recipe: Recipe, images: np.ndarray, labels: np.ndarray, device: str) -> Repeat:
    """jax_impl: a compiled epoch."""
    place = select_device(device, recipe.precision)
    split = to_device(images, labels, place)
    model = Cnn(recipe)
    optimizer = build_optimizer(model, recipe)
    order = epoch_order(recipe.seed, 1, len(labels))
    batches = device_batches(split, order, recipe.batch_size)
    return lambda: train_epoch(model, optimizer, batches, lambda losses: None).loss


def replicas(
    recipe: Recipe, images: np.ndarray, labels: np.ndarray, device: str, count: int
) -> Repeat:
    """`count` seeds in one program; each has its own order of the pictures."""
    use_every_core(count)
    place = select_device(device, recipe.precision)
    split = to_device(images, labels, place)
    seeds = range(count)
    trained = build_replicas([Recipe(seed=seed, batch_size=recipe.batch_size) for seed in seeds])
    rows = jnp.stack([
        jnp.array(split_batches(epoch_order(seed, 1, len(labels)), recipe.batch_size)[0], jnp.int32)
        for seed in seeds
    ])  # fmt: skip

    def repeat() -> float:
        nonlocal trained
        trained, losses, _ = train_replicas(trained, split, rows)
        return float(losses[0, -1])

    return repeat


def evaluation(recipe: Recipe, images: np.ndarray, labels: np.ndarray, device: str) -> Repeat:
    """Loss and accuracy over all the pictures."""
    place = select_device(device, recipe.precision)
    model = Cnn(recipe)
    batches = device_batches(
        to_device(images, labels, place), np.arange(len(labels)), recipe.batch_size
    )
    return lambda: evaluate(model, batches).loss


class FirstCnn(nnx.Module):
    """The network with the layers that Flax brings."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.conv1 = nnx.Conv(3, 64, (3, 3), padding="VALID", rngs=rngs)
        self.conv2 = nnx.Conv(64, 64, (3, 3), padding="VALID", rngs=rngs)
        self.conv3 = nnx.Conv(64, 128, (3, 3), padding="VALID", rngs=rngs)
        self.fc1 = nnx.Linear(512, 256, rngs=rngs)
        self.fc2 = nnx.Linear(256, 10, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Logits."""
        for convolution in (self.conv1, self.conv2, self.conv3):
            x = nnx.max_pool(nnx.relu(convolution(x)), (2, 2), strides=(2, 2))
        return self.fc2(nnx.relu(self.fc1(x.reshape(len(x), -1))))


def as_first_written(recipe: Recipe, images: np.ndarray, labels: np.ndarray, device: str) -> Repeat:
    """`nnx.jit` a step, every batch sent from the host."""
    select_device(device, recipe.precision)
    model = FirstCnn(nnx.Rngs(recipe.seed))
    optimizer = nnx.Optimizer(model, optax.sgd(recipe.learning_rate), wrt=nnx.Param)

    @nnx.jit
    def step(
        model: FirstCnn, optimizer: nnx.Optimizer[FirstCnn], x: jax.Array, y: jax.Array
    ) -> jax.Array:
        def objective(model: FirstCnn) -> jax.Array:
            return optax.softmax_cross_entropy_with_integer_labels(model(x), y).mean()

        value, gradients = nnx.value_and_grad(objective)(model)
        optimizer.update(model, gradients)
        return value

    order = epoch_order(recipe.seed, 1, len(labels))

    def repeat() -> float:
        losses = []
        for start in range(0, len(order), recipe.batch_size):
            chosen = order[start : start + recipe.batch_size]
            x = images[chosen].astype(np.float32) / recipe.pixel_divisor
            losses.append(step(model, optimizer, x, labels[chosen].astype(np.int32)))
        return float(losses[-1])

    return repeat


def device_memory() -> int | None:
    """Largest memory in use on the GPU so far."""
    found = jax.devices()[0]
    if found.platform != "gpu":
        return None
    return (found.memory_stats() or {}).get("peak_bytes_in_use")


def floor(device: str, precision: str) -> dict[str, float]:
    """Seconds of a large product and a large copy."""
    from benchmarks.floor import COPY, SIDE, best

    select_device(device, precision)
    a, b = (jax.random.uniform(jax.random.key(i), (SIDE, SIDE)) for i in (0, 1))
    x = jnp.zeros(COPY)
    product, copy = jax.jit(jnp.matmul), jax.jit(lambda x: x + 1)
    return {
        "product": best(lambda: product(a, b).block_until_ready()),
        "copy": best(lambda: copy(x).block_until_ready()),
    }
