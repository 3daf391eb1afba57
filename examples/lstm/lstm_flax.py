"""A bidirectional LSTM that classifies sequences of tokens, in Flax NNX.

Flax's cells have one bias where PyTorch's have two, and no row of its embedding is kept for
padding, so both layers are `parity.layers`'.
"""

from __future__ import annotations

import jax.numpy as jnp
from flax import nnx
from jax import Array

from parity.layers import LSTM, Embedding, Linear


class LstmClassifier(nnx.Module):
    """Embedding, two bidirectional layers, and the last state of either direction."""

    def __init__(
        self,
        vocabulary: int = 30,
        features: int = 12,
        hidden: int = 10,
        classes: int = 5,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.embedding = Embedding(vocabulary, features, padding_idx=0, rngs=rngs)
        self.lstm = LSTM(
            features, hidden, num_layers=2, batch_first=True, bidirectional=True, rngs=rngs
        )
        self.head = Linear(2 * hidden, classes, rngs=rngs)

    def __call__(self, tokens: Array) -> Array:
        """tokens (n, time) integers -> logits (n, classes)"""
        _, (h, _) = self.lstm(self.embedding(tokens))  # (layers * directions, n, hidden)
        return self.head(jnp.concatenate([h[-2], h[-1]], axis=-1))
