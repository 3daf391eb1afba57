"""Linear layers go across and compute the same."""

from __future__ import annotations

import numpy as np
import pytest
from flax import nnx
from torch import nn

from parity.bridge.declarations import Flatten


@pytest.mark.parametrize("bias", [True, False])
def test_linear(prove, numbers, rngs, bias):
    prove(
        nn.Linear(3, 5, bias=bias), nnx.Linear(3, 5, use_bias=bias, rngs=rngs), [numbers(2, 4, 3)]
    )


def test_square_linear(prove, numbers, rngs):
    prove(nn.Linear(4, 4), nnx.Linear(4, 4, rngs=rngs), [numbers(3, 4)])


def test_linear_whose_features_are_split_into_axes(prove, numbers, rngs):
    port = nnx.LinearGeneral((2, 3), (5, 2), axis=(-2, -1), rngs=rngs)
    prove(
        nn.Linear(6, 10),
        port,
        [numbers(4, 6)],
        call=lambda x: port(x.reshape(4, 2, 3)).reshape(4, 10),
    )


def test_linear_behind_a_flattened_picture(prove, numbers, rngs):
    """The reference flattens C, H, W, the port H, W, C."""
    picture = numbers(2, 3, 4, 5)
    reference = nn.Sequential(nn.Flatten(), nn.Linear(60, 7))
    port = nnx.Sequential(lambda x: x.reshape(len(x), -1), nnx.Linear(60, 7, rngs=rngs))

    def call(x):
        return port(x.transpose(0, 2, 3, 1))

    mapping = prove(reference, port, [picture], call=call, flattens=[Flatten("1", (3, 4, 5))])
    assert "(3, 4, 5)" in mapping.table()
    with pytest.raises(AssertionError):
        prove(reference, port, [picture], call=call)


def test_flatten_puts_each_column_where_its_pixel_is(pair_up, rngs):
    mapping = pair_up(
        nn.Linear(24, 1), nnx.Linear(24, 1, rngs=rngs), flattens=[Flatten("", (2, 3, 4))]
    )
    weight = np.arange(24.0).reshape(1, 24)
    kernel = mapping.to_flax({"weight": weight, "bias": np.zeros(1)})["kernel"].reshape(3, 4, 2)
    assert kernel[2, 1, 0] == 0 * 12 + 2 * 4 + 1
    assert kernel[0, 3, 1] == 1 * 12 + 0 * 4 + 3
