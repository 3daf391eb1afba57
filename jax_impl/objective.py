"""What is minimised, and what is counted."""

from __future__ import annotations

import optax
from jaxtyping import Array, Float, Int


def loss(logits: Float[Array, "n 10"], labels: Int[Array, " n"]) -> Float[Array, ""]:
    """Cross-entropy, mean over the batch as it is (a short batch divides by its own size)."""
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def correct(logits: Float[Array, "n 10"], labels: Int[Array, " n"]) -> Int[Array, ""]:
    """Number of pictures whose largest logit is the label's."""
    return (logits.argmax(1) == labels).sum()
