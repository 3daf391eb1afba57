"""Embedding whose padding row never learns."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int


class Embedding(nnx.Module):
    """`torch.nn.Embedding`: weight (entries, features), drawn from N(0, 1).

    The row `padding_idx` starts at 0 and has no gradient.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        weight = jax.random.normal(rngs.params(), (num_embeddings, embedding_dim))
        if padding_idx is not None:
            padding_idx = range(num_embeddings)[padding_idx]  # negative counts from the end
            weight = weight.at[padding_idx].set(0)
        self.padding_idx = padding_idx
        self.weight = nnx.Param(weight)

    def __call__(self, indices: Int[Array, "*batch"]) -> Float[Array, "*batch features"]:
        rows = self.weight[...][indices]
        if self.padding_idx is None:
            return rows
        is_padding = (indices == self.padding_idx)[..., None]
        return jnp.where(is_padding, jax.lax.stop_gradient(rows), rows)
