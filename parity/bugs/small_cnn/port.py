"""The small network in Flax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from parity import layers

Array = jax.Array


class Network(nnx.Module):
    """The network, with its rectifier given."""

    def __init__(self, rngs: nnx.Rngs, *, rectify: Callable[[Array], Array]) -> None:
        self.conv1 = layers.Conv(2, 6, (3, 3), bias=False, rngs=rngs)
        self.conv2 = layers.Conv(6, 6, (3, 3), rngs=rngs)
        self.head = layers.Linear(6, 4, rngs=rngs)
        self.rectify = rectify

    def __call__(self, x: Array) -> Any:
        """Logits (n, 4) of pictures (n, h, w, 2)."""
        x = self.rectify(self.conv1(x))
        x = self.rectify(self.conv2(x))
        return self.head(x.mean((1, 2)))


def relu(x: Array) -> Array:
    return nnx.relu(x)


def relu_by_maximum(x: Array) -> Array:
    return jnp.maximum(x, 0)
