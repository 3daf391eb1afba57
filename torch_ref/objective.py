"""What is minimised, and what is counted."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


def loss(logits: Float[Tensor, "n 10"], labels: Int[Tensor, " n"]) -> Float[Tensor, ""]:
    """Cross-entropy, mean over the batch as it is (a short batch divides by its own size)."""
    return F.cross_entropy(logits, labels)


def correct(logits: Float[Tensor, "n 10"], labels: Int[Tensor, " n"]) -> Int[Tensor, ""]:
    """Number of pictures whose largest logit is the label's."""
    return (logits.argmax(1) == labels).sum()
