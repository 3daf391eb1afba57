"""Initial values have PyTorch's distributions."""

from __future__ import annotations

import numpy as np
import pytest
from flax import nnx
from torch import nn

from parity.bridge import flax_end, torch_end
from parity.layers import (
    GRU,
    LSTM,
    BatchNorm,
    Conv,
    ConvTranspose,
    Embedding,
    InstanceNorm,
    Linear,
    MultiheadAttention,
    PReLU,
)

R = nnx.Rngs(0)
LAYERS = {
    "Linear": (lambda: nn.Linear(90, 70), lambda: Linear(90, 70, rngs=R)),
    "Conv": (
        lambda: nn.Conv2d(20, 40, (3, 2), groups=2),
        lambda: Conv(20, 40, (3, 2), groups=2, rngs=R),
    ),
    "ConvTranspose": (
        lambda: nn.ConvTranspose2d(20, 40, (3, 2), groups=2),
        lambda: ConvTranspose(20, 40, (3, 2), groups=2, rngs=R),
    ),
    "Embedding": (
        lambda: nn.Embedding(70, 60, padding_idx=3),
        lambda: Embedding(70, 60, padding_idx=3, rngs=R),
    ),
    "LSTM": (lambda: nn.LSTM(30, 50), lambda: LSTM(30, 50, rngs=R)),
    "GRU": (lambda: nn.GRU(30, 50), lambda: GRU(30, 50, rngs=R)),
    "MultiheadAttention": (
        lambda: nn.MultiheadAttention(60, 3),
        lambda: MultiheadAttention(60, 3, rngs=R),
    ),
    "MultiheadAttention of three sizes": (
        lambda: nn.MultiheadAttention(60, 3, kdim=40, vdim=30),
        lambda: MultiheadAttention(60, 3, kdim=40, vdim=30, rngs=R),
    ),
    "BatchNorm": (lambda: nn.BatchNorm2d(9), lambda: BatchNorm(9)),
    "InstanceNorm": (
        lambda: nn.InstanceNorm2d(9, affine=True, track_running_stats=True),
        lambda: InstanceNorm(9, affine=True, track_running_stats=True),
    ),
    "PReLU": (lambda: nn.PReLU(9), lambda: PReLU(9)),
}


@pytest.mark.parametrize("layer", LAYERS)
def test_initial_values(layer):
    """Of n values a standard deviation is known to about 1/sqrt(2n), and a bound far better."""
    reference, port = (build() for build in LAYERS[layer])
    ours, theirs = flax_end.export(port), torch_end.export(reference)
    for name, expected in theirs.items():
        found = ours[name.replace(".", "/")]
        assert found.shape == expected.shape
        assert abs(found.mean() - expected.mean()) <= 6 * expected.std() / np.sqrt(found.size)
        ratio = 6 / np.sqrt(2 * found.size)
        assert found.std() == pytest.approx(expected.std(), rel=ratio)
        if "Embedding" not in layer:
            assert np.abs(found).max() == pytest.approx(np.abs(expected).max(), rel=0.15)
