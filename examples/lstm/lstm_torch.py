"""A bidirectional LSTM that classifies sequences of tokens, in PyTorch."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LstmClassifier(nn.Module):
    """Embedding, two bidirectional layers, and the last state of either direction."""

    def __init__(
        self, vocabulary: int = 30, features: int = 12, hidden: int = 10, classes: int = 5
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, features, padding_idx=0)
        self.lstm = nn.LSTM(features, hidden, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * hidden, classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens (n, time) integers -> logits (n, classes)"""
        _, (h, _) = self.lstm(self.embedding(tokens))  # (layers * directions, n, hidden)
        return self.head(torch.cat([h[-2], h[-1]], dim=-1))
