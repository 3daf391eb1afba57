"""Embedding, PReLU and Linear are PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from parity.layers import Embedding, Linear, PReLU


@pytest.mark.parametrize("padding_idx", [None, 0, -2])
def test_embedding(agree, rngs, padding_idx):
    """The padding row is read like any other and has no gradient."""
    reference = nn.Embedding(6, 3, padding_idx=padding_idx)
    port = Embedding(6, 3, padding_idx=padding_idx, rngs=rngs)
    if padding_idx is not None:
        assert not np.asarray(port.weight[...])[padding_idx].any()
    agree(reference, port, [np.array([[0, 4, 5], [4, 0, 2]])])


@pytest.mark.parametrize("slopes", [1, 3])
def test_prelu(agree, numbers, slopes):
    x = numbers(2, 3, 5, 4)
    x[0, :, 0, 0] = 0  # where PyTorch takes the slope of the negative side
    agree(nn.PReLU(slopes), PReLU(slopes), [x], channels_last=True)


@pytest.mark.parametrize("bias", [True, False])
def test_linear(agree, numbers, rngs, bias):
    agree(nn.Linear(3, 5, bias=bias), Linear(3, 5, bias=bias, rngs=rngs), [numbers(2, 4, 3)])
