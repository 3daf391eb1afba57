"""PReLU with a slope for each channel."""

from __future__ import annotations

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float


class PReLU(nnx.Module):
    """`torch.nn.PReLU`: weight (1,) or (channels,); channels are the last axis."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        self.weight = nnx.Param(jnp.full((num_parameters,), init))

    def __call__(self, x: Float[Array, "*batch channels"]) -> Float[Array, "*batch channels"]:
        return jnp.where(x > 0, x, self.weight[...] * x)
