"""Pictures made smaller and larger in Flax, made of parts: right ones, and wrong ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from parity.layers import Conv, resize

Array = jax.Array


class Network(nnx.Module):
    """Pictures (n, 12, 15, 3) -> (n, 16, 12, 2)."""

    def __init__(self, seed: int, parts: Mapping[str, Callable[..., Any]]) -> None:
        rngs = nnx.Rngs(seed)
        self.stem = Conv(3, 4, (1, 1), rngs=rngs)
        self.middle = Conv(4, 4, (1, 1), rngs=rngs)
        self.decoder = Conv(4, 4, (1, 1), rngs=rngs)
        self.head = Conv(4, 2, (1, 1), rngs=rngs)
        self.smaller, self.larger = parts["smaller"], parts["larger"]
        self.nearest = parts["nearest"]

    def __call__(self, x: Array) -> Array:
        x = self.smaller(self.stem(x), 7, 6)
        x = self.larger(self.middle(x), 10, 9)
        x = self.nearest(self.decoder(x), 16, 12)
        return jnp.tanh(self.head(x))


# downsampling -----------------------------------------------------------------------------------


def smaller(x: Array, height: int, width: int) -> Array:
    n, _, _, c = x.shape
    return jax.image.resize(x, (n, height, width, c), "bilinear", antialias=False)


def smaller_antialiased(x: Array, height: int, width: int) -> Array:
    n, _, _, c = x.shape
    return jax.image.resize(x, (n, height, width, c), "bilinear")


# corners ----------------------------------------------------------------------------------------


def corners_aligned(x: Array, height: int, width: int) -> Array:
    return resize(x, (height, width), mode="linear", align_corners=True)


def corners_not_aligned(x: Array, height: int, width: int) -> Array:
    n, _, _, c = x.shape
    return jax.image.resize(x, (n, height, width, c), "bilinear")


# nearest ----------------------------------------------------------------------------------------


def nearest_by_corner(x: Array, height: int, width: int) -> Array:
    rows = jnp.arange(height) * x.shape[1] // height
    columns = jnp.arange(width) * x.shape[2] // width
    return x[:, rows][:, :, columns]


def nearest_by_centre(x: Array, height: int, width: int) -> Array:
    n, _, _, c = x.shape
    return jax.image.resize(x, (n, height, width, c), "nearest")
