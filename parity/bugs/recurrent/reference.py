"""An LSTM and a GRU on sequences, in PyTorch."""

from __future__ import annotations

from torch import Tensor, nn


class Network(nn.Module):
    """Sequences (n, time, 3) -> (n, 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, 5, batch_first=True)
        self.gru = nn.GRU(5, 6, batch_first=True)
        self.head = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the last time step."""
        x, _ = self.lstm(x)
        x, _ = self.gru(x)
        return self.head(x[:, -1])
