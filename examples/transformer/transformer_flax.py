"""A Transformer encoder that classifies sequences of tokens, in stock Flax NNX.

What a port has to say because Flax's defaults differ from PyTorch's: the layer norms' epsilon, the
exact GELU, and how the weights start.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array


class EncoderLayer(nnx.Module):
    """Pre-norm: x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(
        self, features: int, heads: int, hidden: int, dropout: float, rngs: nnx.Rngs
    ) -> None:
        self.norm1 = nnx.LayerNorm(features, epsilon=1e-5, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(
            heads,
            features,
            decode=False,
            # xavier_uniform of PyTorch's packed weight (3 * features, features)
            kernel_init=_uniform((6 / (features + 3 * features)) ** 0.5),
            out_kernel_init=_uniform(features**-0.5),
            rngs=rngs,
        )
        self.dropout1 = nnx.Dropout(dropout, rngs=rngs)
        self.norm2 = nnx.LayerNorm(features, epsilon=1e-5, rngs=rngs)
        self.linear1 = _linear(features, hidden, rngs)
        self.dropout2 = nnx.Dropout(dropout, rngs=rngs)
        self.linear2 = _linear(hidden, features, rngs)
        self.dropout3 = nnx.Dropout(dropout, rngs=rngs)

    def __call__(self, x: Array, padding: Array) -> Array:
        """x (n, time, features), padding (n, time) -> (n, time, features)"""
        attend = ~padding[:, None, None, :]  # (n, heads, queries, keys); True attends, in Flax
        x = x + self.dropout1(self.attention(self.norm1(x), mask=attend))
        y = nnx.gelu(self.linear1(self.norm2(x)), approximate=False)  # (n, time, hidden)
        return x + self.dropout3(self.linear2(self.dropout2(y)))


class Transformer(nnx.Module):
    """Tokens and learned positions, encoder layers, the mean over all that is no padding."""

    def __init__(
        self,
        vocabulary: int = 30,
        time: int = 11,
        features: int = 16,
        heads: int = 4,
        hidden: int = 24,
        layers: int = 2,
        classes: int = 5,
        dropout: float = 0.1,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        normal = nnx.initializers.normal
        self.embedding = nnx.Embed(vocabulary, features, embedding_init=normal(1.0), rngs=rngs)
        self.position = nnx.Param(normal(0.02)(rngs.params(), (1, time, features)))
        self.dropout = nnx.Dropout(dropout, rngs=rngs)
        self.blocks = nnx.List(
            EncoderLayer(features, heads, hidden, dropout, rngs) for _ in range(layers)
        )
        self.norm = nnx.LayerNorm(features, epsilon=1e-5, rngs=rngs)
        self.head = _linear(features, classes, rngs)

    def __call__(self, tokens: Array, padding: Array) -> dict[str, Array]:
        """tokens (n, time) integers, padding (n, time) True where there is no token."""
        x = self.dropout(self.embedding(tokens) + self.position[...])  # (n, time, features)
        for block in self.blocks:
            x = block(x, padding)
        keep = ~padding[..., None]  # (n, time, 1)
        pooled = (self.norm(x) * keep).sum(1) / keep.sum(1)  # (n, features)
        return {"logits": self.head(pooled), "pooled": pooled}


def _linear(inputs: int, outputs: int, rngs: nnx.Rngs) -> nnx.Linear:
    """A linear layer that starts as `torch.nn.Linear` does."""
    init = _uniform(inputs**-0.5)
    return nnx.Linear(inputs, outputs, kernel_init=init, bias_init=init, rngs=rngs)


def _uniform(bound: float) -> nnx.Initializer:
    """U(-bound, bound), for weights and for biases."""

    def init(key: Array, shape: Any, dtype: Any = jnp.float32, out_sharding: Any = None) -> Array:
        return jax.random.uniform(key, shape, dtype, minval=-bound, maxval=bound)

    return init
