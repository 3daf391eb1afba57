"""The two networks in Flax, made of parts: the right ones, and wrong ones that people wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from parity import layers

Array = jax.Array
Parts = Mapping[str, Callable[..., Any]]


class Network(nnx.Module):
    """Rows (n, 5) to logits (n, 4)."""

    def __init__(self, rngs: nnx.Rngs, parts: Parts) -> None:
        self.fc1 = layers.Linear(5, 6, rngs=rngs)
        self.fc2 = layers.Linear(6, 6, rngs=rngs)
        self.fc3 = layers.Linear(6, 6, rngs=rngs)
        self.fc4 = layers.Linear(6, 6, rngs=rngs)
        self.prelu = parts["prelu"]()
        self.head = layers.Linear(6, 4, rngs=rngs)
        self.gelu, self.leaky_relu, self.elu = parts["gelu"], parts["leaky_relu"], parts["elu"]

    def __call__(self, x: Array) -> Array:
        x = self.gelu(self.fc1(x))
        x = self.leaky_relu(self.fc2(x))
        x = self.elu(self.fc3(x))
        return self.head(self.prelu(self.fc4(x)))


class Summary(nnx.Module):
    """Series (n, t, 3) and shifts (n,) to logits (n, 4)."""

    def __init__(self, rngs: nnx.Rngs, parts: Parts) -> None:
        self.of_median = layers.Linear(3, 4, rngs=rngs)
        self.of_deviation = layers.Linear(3, 4, rngs=rngs)
        self.of_bucket = layers.Embedding(6, 4, rngs=rngs)
        self.median, self.deviation = parts["median"], parts["deviation"]
        self.bucket = parts["bucket"]

    def __call__(self, x: Array, shift: Array) -> Array:
        y = self.of_median(self.median(x)) + self.of_deviation(self.deviation(x))
        return y + self.of_bucket(self.bucket(shift))


# GELU -------------------------------------------------------------------------------------------


def gelu(x: Array) -> Array:
    return nnx.gelu(x, approximate=False)


def gelu_default(x: Array) -> Array:
    return nnx.gelu(x)


# slopes -----------------------------------------------------------------------------------------


def leaky_relu(x: Array) -> Array:
    return nnx.leaky_relu(x, negative_slope=0.2)


def leaky_relu_default(x: Array) -> Array:
    return nnx.leaky_relu(x)


def elu(x: Array) -> Array:
    return nnx.elu(x, alpha=0.5)


def elu_default(x: Array) -> Array:
    return nnx.elu(x)


def prelu() -> nnx.Module:
    return nnx.PReLU(negative_slope_init=0.25)


def prelu_default() -> nnx.Module:
    return nnx.PReLU()


# statistics -------------------------------------------------------------------------------------


def lower_median(x: Array) -> Array:
    return jnp.sort(x, axis=1)[:, (x.shape[1] - 1) // 2]


def mean_median(x: Array) -> Array:
    return jnp.median(x, axis=1)


def sample_deviation(x: Array) -> Array:
    return x.std(axis=1, ddof=1)


def population_deviation(x: Array) -> Array:
    return x.std(axis=1)


# whole numbers ----------------------------------------------------------------------------------


def bucket_towards_zero(shift: Array) -> Array:
    return jnp.trunc(shift / 4).astype(shift.dtype) + 3


def bucket_downwards(shift: Array) -> Array:
    return shift // 4 + 3
