"""A Transformer encoder that classifies sequences of tokens, in PyTorch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class EncoderLayer(nn.Module):
    """Pre-norm: x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, features: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(features)
        self.attention = nn.MultiheadAttention(features, heads, batch_first=True)
        self.dropout1 = nn.Dropout(dropout)
        self.norm2 = nn.LayerNorm(features)
        self.linear1 = nn.Linear(features, hidden)
        self.dropout2 = nn.Dropout(dropout)
        self.linear2 = nn.Linear(hidden, features)
        self.dropout3 = nn.Dropout(dropout)

    def forward(self, x: Tensor, padding: Tensor) -> Tensor:
        """x (n, time, features), padding (n, time) -> (n, time, features)"""
        y = self.norm1(x)
        y, _ = self.attention(y, y, y, key_padding_mask=padding, need_weights=False)
        x = x + self.dropout1(y)
        y = self.dropout2(F.gelu(self.linear1(self.norm2(x))))  # (n, time, hidden)
        return x + self.dropout3(self.linear2(y))


class Transformer(nn.Module):
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
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, features)
        self.position = nn.Parameter(0.02 * torch.randn(1, time, features))
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            EncoderLayer(features, heads, hidden, dropout) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(features)
        self.head = nn.Linear(features, classes)

    def forward(self, tokens: Tensor, padding: Tensor) -> dict[str, Tensor]:
        """tokens (n, time) integers, padding (n, time) True where there is no token."""
        x = self.dropout(self.embedding(tokens) + self.position)  # (n, time, features)
        for layer in self.layers:
            x = layer(x, padding)
        keep = (~padding).unsqueeze(-1)  # (n, time, 1)
        pooled = (self.norm(x) * keep).sum(1) / keep.sum(1)  # (n, features)
        return {"logits": self.head(pooled), "pooled": pooled}
