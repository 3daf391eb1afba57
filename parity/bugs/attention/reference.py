"""A small language model in PyTorch: attention, dropout, and an output tied to the embedding."""

from __future__ import annotations

import torch
from torch import nn


class Network(nn.Module):
    """Which token is it? Of every position, from all that are no padding."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.dropout = nn.Dropout(0.25)
        self.to_tokens = nn.Linear(8, 11, bias=False)
        self.to_tokens.weight = self.embedding.weight

    def forward(self, tokens: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
        """Logits (n, t, 11) of tokens (n, t); padding (n, t) is True where there is none."""
        x = self.embedding(tokens)
        y, _ = self.attention(x, x, x, key_padding_mask=padding, need_weights=False)
        return self.to_tokens(x + self.dropout(y))
