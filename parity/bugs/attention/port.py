"""The language model in Flax, made of parts: the right ones, and wrong ones that people wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax.nn import initializers

from parity import layers

Array = jax.Array
Parts = Mapping[str, Callable[..., Any]]


class Network(nnx.Module):
    """Tokens (n, t) and padding (n, t) to logits (n, t, 11)."""

    def __init__(self, rngs: nnx.Rngs, parts: Parts) -> None:
        self.embedding = parts["embedding"](rngs)
        self.attention = Attention(8, 2, parts, rngs)
        self.dropout = nnx.Dropout(0.25, rngs=rngs)
        self.to_tokens = parts["to_tokens"](self.embedding)
        self.drop = parts["drop"]

    def __call__(self, tokens: Array, padding: Array) -> Array:
        x = self.embedding(tokens)
        y = self.attention(x, key_padding_mask=padding)
        return self.to_tokens(x + self.drop(self.dropout, y))


class Attention(nnx.Module):
    """Self-attention with PyTorch's packed weights."""

    def __init__(self, features: int, heads: int, parts: Parts, rngs: nnx.Rngs) -> None:
        xavier = initializers.xavier_uniform(in_axis=1, out_axis=0)
        self.in_proj_weight = nnx.Param(xavier(rngs.params(), (3 * features, features)))
        self.in_proj_bias = nnx.Param(jnp.zeros(3 * features))
        self.out_proj = layers.Linear(features, features, rngs=rngs)
        self.out_proj.bias = nnx.Param(jnp.zeros(features))
        self.heads = heads
        self.split, self.scores, self.shut_out = parts["split"], parts["scores"], parts["mask"]

    def __call__(self, x: Array, key_padding_mask: Array) -> Array:
        packed = x @ self.in_proj_weight[...].T + self.in_proj_bias[...]
        query, key, value = self.split(packed, self.heads)
        scores = self.shut_out(self.scores(query, key), key_padding_mask)
        y = jnp.einsum("nhqk,nkhd->nqhd", nnx.softmax(scores), value)
        return self.out_proj(y.reshape(x.shape))


class Output(nnx.Module):
    """Features to logits."""

    def __init__(self, weight: nnx.Param[Array]) -> None:
        self.weight = weight

    def __call__(self, x: Array) -> Array:
        return x @ self.weight[...].T


# packed weights ---------------------------------------------------------------------------------


def split(packed: Array, heads: int) -> list[Array]:
    parts = jnp.split(packed, 3, axis=-1)
    return [part.reshape(*part.shape[:2], heads, -1) for part in parts]


def split_within_heads(packed: Array, heads: int) -> list[Array]:
    by_head = packed.reshape(*packed.shape[:2], heads, -1)
    return jnp.split(by_head, 3, axis=-1)


# scores -----------------------------------------------------------------------------------------


def scores(query: Array, key: Array) -> Array:
    return jnp.einsum("nqhd,nkhd->nhqk", query, key) / jnp.sqrt(query.shape[-1])


def scores_by_all_features(query: Array, key: Array) -> Array:
    _, _, heads, size = query.shape
    return jnp.einsum("nqhd,nkhd->nhqk", query, key) / jnp.sqrt(heads * size)


# masks ------------------------------------------------------------------------------------------


def shut_out(scores: Array, padding: Array) -> Array:
    return jnp.where(padding[:, None, None], -jnp.inf, scores)


def shut_out_the_rest(scores: Array, padding: Array) -> Array:
    return jnp.where(padding[:, None, None], scores, -jnp.inf)


# embedding --------------------------------------------------------------------------------------


def embedding(rngs: nnx.Rngs) -> nnx.Embed:
    return nnx.Embed(11, 8, embedding_init=initializers.normal(1.0), rngs=rngs)


def embedding_default(rngs: nnx.Rngs) -> nnx.Embed:
    return nnx.Embed(11, 8, rngs=rngs)


# to tokens --------------------------------------------------------------------------------------


def tied_output(embedding: nnx.Embed) -> Output:
    return Output(embedding.embedding)


def copied_output(embedding: nnx.Embed) -> Output:
    return Output(nnx.Param(embedding.embedding[...]))


# dropout ----------------------------------------------------------------------------------------


def drop(dropout: nnx.Dropout, x: Array) -> Array:
    return dropout(x)


def drop_always(dropout: nnx.Dropout, x: Array) -> Array:
    return dropout(x, deterministic=False)


def drop_with_fixed_key(dropout: nnx.Dropout, x: Array) -> Array:
    return dropout(x, rngs=jax.random.key(0))
