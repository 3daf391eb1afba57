"""Pictures made smaller and larger between convolutions, in PyTorch."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import interpolate


class Network(nn.Module):
    """A short encoder and decoder; resizing is code between the layers, as people write it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 1)
        self.middle = nn.Conv2d(4, 4, 1)
        self.decoder = nn.Conv2d(4, 4, 1)
        self.head = nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Pictures (n, 3, 12, 15) -> (n, 2, 16, 12)."""
        x = interpolate(self.stem(x), size=(7, 6), mode="bilinear")
        x = interpolate(self.middle(x), size=(10, 9), mode="bilinear", align_corners=True)
        x = interpolate(self.decoder(x), size=(16, 12), mode="nearest")
        return self.head(x).tanh()
