"""A GRU that classifies sequences of different lengths, in Flax NNX.

`nnx.GRUCell` lacks PyTorch's hidden bias b_hn, so the layer is `parity.layers`'.
"""

from __future__ import annotations

import jax.numpy as jnp
from flax import nnx
from jax import Array

from parity.layers import GRU, Linear


class GruClassifier(nnx.Module):
    """Embedding, two layers, and the output at the last token of each sequence."""

    def __init__(
        self,
        vocabulary: int = 30,
        features: int = 12,
        hidden: int = 14,
        classes: int = 5,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        # PyTorch's embeddings start as N(0, 1); Flax's default has the variance 1 / features.
        normal = nnx.initializers.normal(1.0)
        self.embedding = nnx.Embed(vocabulary, features, embedding_init=normal, rngs=rngs)
        self.gru = GRU(features, hidden, num_layers=2, batch_first=True, rngs=rngs)
        self.head = Linear(hidden, classes, rngs=rngs)

    def __call__(self, tokens: Array, lengths: Array) -> Array:
        """tokens (n, time) and lengths (n,) integers -> logits (n, classes)"""
        y, _ = self.gru(self.embedding(tokens))  # (n, time, hidden)
        last = y[jnp.arange(len(y)), lengths - 1]  # (n, hidden)
        return self.head(last)
