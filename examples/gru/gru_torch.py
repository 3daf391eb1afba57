"""A GRU that classifies sequences of different lengths, in PyTorch."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class GruClassifier(nn.Module):
    """Embedding, two layers, and the output at the last token of each sequence."""

    def __init__(
        self, vocabulary: int = 30, features: int = 12, hidden: int = 14, classes: int = 5
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, features)
        self.gru = nn.GRU(features, hidden, num_layers=2, batch_first=True)
        self.head = nn.Linear(hidden, classes)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """tokens (n, time) and lengths (n,) integers -> logits (n, classes)"""
        y, _ = self.gru(self.embedding(tokens))  # (n, time, hidden)
        last = y[torch.arange(len(y), device=y.device), lengths - 1]  # (n, hidden)
        return self.head(last)
