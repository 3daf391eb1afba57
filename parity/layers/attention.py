"""Multi-head attention with PyTorch's packed weights and its masks, where True shuts out."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from parity.layers.initial import uniform
from parity.layers.linear import Linear


class MultiheadAttention(nnx.Module):
    """`torch.nn.MultiheadAttention` without add_bias_kv and add_zero_attn.

    `in_proj_weight` (3E, E) holds query, key and value; with another `kdim` or `vdim` there are
    `q_proj_weight`, `k_proj_weight`, `v_proj_weight` instead. The softmax has the inputs' dtype.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        """Raises ValueError where the heads do not divide `embed_dim`."""
        if embed_dim % num_heads:
            raise ValueError(f"{num_heads} heads do not divide embed_dim {embed_dim}")
        self.num_heads, self.batch_first = num_heads, batch_first
        kdim, vdim = kdim or embed_dim, vdim or embed_dim
        if kdim == vdim == embed_dim:
            # PyTorch starts with xavier_uniform of the packed shape.
            bound = (6 / (4 * embed_dim)) ** 0.5
            self.in_proj_weight = uniform(rngs, (3 * embed_dim, embed_dim), bound)
        else:
            for name, size in (("q", embed_dim), ("k", kdim), ("v", vdim)):
                weight = uniform(rngs, (embed_dim, size), (6 / (embed_dim + size)) ** 0.5)
                setattr(self, f"{name}_proj_weight", weight)
        self.in_proj_bias = nnx.data(nnx.Param(jnp.zeros(3 * embed_dim)) if bias else None)
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias, rngs=rngs)
        if self.out_proj.bias is not None:
            self.out_proj.bias.set_value(jnp.zeros(embed_dim))
        self.dropout = nnx.Dropout(dropout, rngs=rngs)

    def __call__(
        self,
        query: Float[Array, "a b e"],
        key: Float[Array, "c d k"],
        value: Float[Array, "c d v"],
        key_padding_mask: Bool[Array, "batch keys"] | None = None,
        attn_mask: Bool[Array, ...] | Float[Array, ...] | None = None,
    ) -> tuple[Float[Array, "a b e"], Float[Array, "batch queries keys"]]:
        """The outputs, and the weights averaged over the heads.

        Inputs are (time, batch, features), or (batch, time, features) with `batch_first`. A mask
        of booleans shuts out where it is True, one of numbers is added to the scores; `attn_mask`
        is (queries, keys) or (batch * heads, queries, keys).
        """
        if not self.batch_first:
            query, key, value = (x.swapaxes(0, 1) for x in (query, key, value))
        q, k, v = self._project(query, key, value)  # (batch, time, heads, head_dim)
        scores = jnp.einsum("bqhd,bkhd->bhqk", q * q.shape[-1] ** -0.5, k)
        if attn_mask is not None:
            mask = attn_mask if attn_mask.ndim == 2 else attn_mask.reshape(scores.shape)
            scores = scores + _added(mask, scores.dtype)
        if key_padding_mask is not None:
            scores = scores + _added(key_padding_mask[:, None, None, :], scores.dtype)
        weights = self.dropout(jax.nn.softmax(scores, axis=-1))
        y = jnp.einsum("bhqk,bkhd->bqhd", weights, v)
        y = self.out_proj(y.reshape(*y.shape[:2], -1))
        return (y if self.batch_first else y.swapaxes(0, 1)), weights.mean(axis=1)

    def _project(
        self, query: Array, key: Array, value: Array
    ) -> list[Float[Array, "batch time heads head_dim"]]:
        if hasattr(self, "in_proj_weight"):
            weights = jnp.split(self.in_proj_weight[...], 3)
        else:
            weights = [getattr(self, f"{name}_proj_weight")[...] for name in "qkv"]
        projected = [x @ w.T for x, w in zip((query, key, value), weights, strict=True)]
        if self.in_proj_bias is not None:
            biases = jnp.split(self.in_proj_bias[...], 3)
            projected = [x + b for x, b in zip(projected, biases, strict=True)]
        return [x.reshape(*x.shape[:2], self.num_heads, -1) for x in projected]


def _added(mask: Array, dtype: jnp.dtype) -> Array:
    """What the mask adds to the scores."""
    return jnp.where(mask, -jnp.inf, 0).astype(dtype) if mask.dtype == bool else mask
