"""The small network in Flax, how its weights get there, and how it is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.nn import initializers

from parity import layers
from parity.bridge.rules.rule import Arrays, Site
from parity.bugs.training.data import TEST, batches

Array = jax.Array
Checkpoint = Mapping[str, Any]

KERNELS = initializers.variance_scaling(1 / 3, "fan_in", "uniform")

INTERRUPTED = 2
"""Batches of the second epoch that are lost, before the training resumes from a checkpoint."""


class Dense(nnx.Module):
    """A linear layer of the port's own: the kernel is (in, out)."""

    def __init__(self, fan_in: int, fan_out: int, rngs: nnx.Rngs) -> None:
        bound = fan_in**-0.5
        self.kernel = nnx.Param(KERNELS(rngs.params(), (fan_in, fan_out)))
        self.bias = nnx.Param(
            jax.random.uniform(rngs.params(), (fan_out,), minval=-bound, maxval=bound)
        )

    def __call__(self, x: Array) -> Array:
        """(n, in) -> (n, out)"""
        return x @ self.kernel[...] + self.bias[...]


class Head(nnx.Module):
    """Two linear layers."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.hidden, self.out = Dense(8, 5, rngs), Dense(5, 4, rngs)

    def __call__(self, x: Array) -> Array:
        """(n, 8) -> (n, 4)"""
        return self.out(jnp.tanh(self.hidden(x)))


class Network(nnx.Module):
    """A linear layer, a batch norm, a head."""

    def __init__(self, rngs: nnx.Rngs, norm: Callable[[int], nnx.Module]) -> None:
        self.fc1, self.norm, self.head = Dense(6, 8, rngs), norm(8), Head(rngs)

    def __call__(self, x: Array) -> Array:
        """(n, 6) -> (n, 4)"""
        return self.head(jnp.tanh(self.norm(self.fc1(x))))


def loss(outputs: Array, targets: Array) -> Array:
    return ((outputs - targets) ** 2).mean()


# precision --------------------------------------------------------------------------------------


def products_in_float32() -> None:
    jax.config.update("jax_default_matmul_precision", "highest")


def products_in_tf32() -> None:
    jax.config.update("jax_default_matmul_precision", "tensorfloat32")


# weights ----------------------------------------------------------------------------------------


def copy_dense(arrays: Arrays, site: Site) -> dict[str, np.ndarray]:
    return {"kernel": arrays["weight"].T, "bias": arrays["bias"]}


def copy_head(arrays: Arrays, site: Site) -> dict[str, np.ndarray]:
    return {
        "hidden/kernel": arrays["hidden/weight"].T,
        "hidden/bias": arrays["hidden/bias"],
        "out/kernel": arrays["out/weight"].T,
        "out/bias": arrays["out/bias"],
    }


def copy_hidden_alone(arrays: Arrays, site: Site) -> dict[str, np.ndarray]:
    return {
        "hidden/kernel": arrays["hidden/weight"].T,
        "hidden/bias": arrays["hidden/bias"],
    }


def dense_weight_off(size: float, arrays: Arrays, site: Site) -> dict[str, np.ndarray]:
    kernel = arrays["weight"].T.copy()
    if site.reference.path == "fc1":
        kernel[0, 0] *= 1 + size
    return {"kernel": kernel, "bias": arrays["bias"]}


# batch norm -------------------------------------------------------------------------------------


def batch_norm(features: int) -> nnx.Module:
    return layers.BatchNorm(features)


def norm_eps_off(size: float, features: int) -> nnx.Module:
    return layers.BatchNorm(features, eps=1e-5 * (1 + size))


def norm_momentum_off(size: float, features: int) -> nnx.Module:
    return layers.BatchNorm(features, momentum=0.1 * (1 + size))


# training ---------------------------------------------------------------------------------------


def train(
    parts: Mapping[str, Callable[..., Any]],
    model: nnx.Module,
    optimizer: nnx.Optimizer[Any],
    epoch: int,
) -> Mapping[str, Any]:
    """An epoch; the second is interrupted, and resumes from the first one's checkpoint."""
    model.train()
    loaded = list(batches(epoch))
    if epoch == 2:
        checkpoint = saved(model, optimizer)
        for batch in loaded[:INTERRUPTED]:
            step(model, optimizer, *_arrays(model, batch))
        parts["resume"](model, optimizer, checkpoint)
    losses = [float(step(model, optimizer, *_arrays(model, batch))) for batch in loaded]
    sizes = [len(inputs) for inputs, _ in loaded]
    return {"losses": np.array(losses), "train_loss": parts["epoch_loss"](losses, sizes)}


@nnx.jit
def step(model: nnx.Module, optimizer: nnx.Optimizer[Any], inputs: Array, targets: Array) -> Array:
    def objective(model: Any) -> Array:
        return loss(model(inputs), targets)

    value, grads = nnx.value_and_grad(objective)(model)
    optimizer.update(model, grads)
    return value


def evaluate(model: Any) -> Mapping[str, Any]:
    """The loss on the test data."""
    model.eval()
    inputs, targets = _arrays(model, TEST)
    return {"loss": float(loss(model(inputs), targets))}


def _arrays(model: Any, batch: tuple[np.ndarray, np.ndarray]) -> tuple[Array, Array]:
    inputs, targets = (jnp.array(array, model.fc1.kernel.dtype) for array in batch)
    return inputs, targets


def saved(model: nnx.Module, optimizer: nnx.Optimizer[Any]) -> Checkpoint:
    return {
        "model": nnx.to_pure_dict(nnx.state(model)),
        "optimizer": nnx.to_pure_dict(nnx.state(optimizer)),
    }


def resume(model: nnx.Module, optimizer: nnx.Optimizer[Any], checkpoint: Checkpoint) -> None:
    nnx.update(model, checkpoint["model"])
    nnx.update(optimizer, checkpoint["optimizer"])


def resume_weights_alone(
    model: nnx.Module, optimizer: nnx.Optimizer[Any], checkpoint: Checkpoint
) -> None:
    nnx.update(model, checkpoint["model"])


def mean_of_batches(losses: list[float], sizes: list[int]) -> float:
    return float(np.mean(losses))


def mean_of_examples(losses: list[float], sizes: list[int]) -> float:
    return float(np.average(losses, weights=sizes))
