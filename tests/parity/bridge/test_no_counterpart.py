"""Layers for which NNX has no place, or that are put together otherwise, are refused by name."""

from __future__ import annotations

import pytest
from flax import nnx
from torch import nn

from parity.bridge.errors import NoCounterpartError

NO_COUNTERPART = {
    "grouped transposed convolution": (
        lambda: nn.ConvTranspose2d(4, 6, 3, groups=2),
        lambda r: nnx.ConvTranspose(4, 6, (3, 3), rngs=r),
        "parity.layers.ConvTranspose",
    ),
    "slopes per channel": (lambda: nn.PReLU(3), lambda r: nnx.PReLU(), "parity.layers.PReLU"),
    "hidden bias": (
        lambda: nn.GRU(3, 4),
        lambda r: nnx.RNN(nnx.GRUCell(3, 4, rngs=r)),
        "parity.layers.GRU",
    ),
    "running statistics": (
        lambda: nn.InstanceNorm2d(3, affine=True, track_running_stats=True),
        lambda r: nnx.InstanceNorm(3, rngs=r),
        "parity.layers.InstanceNorm",
    ),
    "cumulative average": (
        lambda: nn.BatchNorm2d(3, momentum=None),
        lambda r: nnx.BatchNorm(3, rngs=r),
        "momentum=None",
    ),
    "no statistics": (
        lambda: nn.BatchNorm2d(3, track_running_stats=False),
        lambda r: nnx.BatchNorm(3, rngs=r),
        "running statistics",
    ),
    "several axes": (
        lambda: nn.LayerNorm((3, 4)),
        lambda r: nnx.LayerNorm(4, rngs=r),
        "2 axes (3, 4)",
    ),
    "heads": (
        lambda: nn.MultiheadAttention(6, 2),
        lambda r: nnx.MultiHeadAttention(3, 6, rngs=r),
        "num_heads is 2 in the reference and 3 in the port",
    ),
    "projections": (
        lambda: nn.LSTM(3, 4, proj_size=2),
        lambda r: nnx.RNN(nnx.LSTMCell(3, 4, rngs=r)),
        "proj_size",
    ),
    "too few layers": (
        lambda: nn.LSTM(3, 4, num_layers=2),
        lambda r: nnx.RNN(nnx.LSTMCell(3, 4, rngs=r)),
        "2 cells nnx.LSTMCell or nnx.OptimizedLSTMCell",
    ),
    "layers in an unknown order": (
        lambda: nn.LSTM(4, 4, num_layers=2),
        lambda r: nnx.Dict(
            up=nnx.RNN(nnx.LSTMCell(4, 4, rngs=r)), low=nnx.RNN(nnx.LSTMCell(4, 4, rngs=r))
        ),
        "order of the layers up/cell, low/cell is unknown",
    ),
    "one direction": (
        lambda: nn.LSTM(4, 4, num_layers=1, bidirectional=True),
        lambda r: nnx.List([nnx.RNN(nnx.LSTMCell(4, 4, rngs=r)) for _ in range(2)]),
        "bidirectional",
    ),
}


@pytest.mark.parametrize("case", NO_COUNTERPART)
def test_layers_without_counterpart(refused, rngs, case):
    reference, port, text = NO_COUNTERPART[case]
    error = refused(NoCounterpartError, reference(), port(rngs), text)
    assert error.reference
    assert error.port
