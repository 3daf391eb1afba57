"""The same masks in both frameworks."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

from parity.capture import jax_dropout, torch_tap
from parity.capture.dropout import uniform
from parity.capture.layout import Layout


def test_numpy_and_jax_draw_the_same_numbers_traced_too():
    expected = uniform(np, (4, 3, 5), "block.drop", 1, 7)
    traced = jax.jit(lambda step: uniform(jnp, (4, 3, 5), "block.drop", 1, step))
    np.testing.assert_array_equal(uniform(jnp, (4, 3, 5), "block.drop", 1, 7), expected)
    np.testing.assert_array_equal(traced(7), expected)
    with jax.enable_x64(True):
        np.testing.assert_array_equal(traced(7), expected)
    assert expected.dtype == np.float32


def test_numbers_are_uniform():
    numbers = uniform(np, (400, 500), "drop", 0, 0)
    assert 0 <= numbers.min() < 1e-4
    assert 1 - 1e-4 < numbers.max() < 1
    counts = np.histogram(numbers, 50, (0, 1))[0]
    # chi^2 with 49 degrees of freedom: mean 49, standard deviation 9.9.
    assert ((counts - 4000) ** 2 / 4000).sum() < 49 + 5 * 9.9
    shifted = numbers.ravel()
    assert abs(np.corrcoef(shifted[1:], shifted[:-1])[0, 1]) < 0.01


@pytest.mark.parametrize("other", [("other", 0, 0), ("drop", 1, 0), ("drop", 0, 1)])
def test_another_layer_call_or_step_has_other_masks(other):
    one, two = (uniform(np, (1000,), *place) > 0.5 for place in (("drop", 0, 0), other))
    assert 0.4 < (one == two).mean() < 0.6


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_both_frameworks_drop_the_same_at_the_layers_rate(rate):
    x = np.ones((6, 4, 30, 50), np.float32)
    reference = nn.Sequential(nn.Identity(), nn.Dropout(rate))
    with torch_tap.shared_dropout(reference, step=3):
        expected = reference(torch.from_numpy(x)).numpy()
    port = nnx.Dict(drop=nnx.Dropout(rate, rngs=nnx.Rngs(0)))
    lies = lambda *_: Layout(True)  # noqa: E731
    with jax_dropout.shared_dropout(port, {"drop": "1"}, lies, step=3):
        found = port["drop"](jnp.moveaxis(jnp.array(x), 1, -1))
    np.testing.assert_array_equal(np.moveaxis(found, -1, 1), expected)
    assert (expected == 0).mean() == pytest.approx(rate, abs=0.01)
    if rate < 1:
        np.testing.assert_allclose(expected[expected > 0], 1 / (1 - rate), rtol=1e-6)


def test_whole_channels():
    reference = nn.Sequential(nn.Dropout2d(0.5))
    with torch_tap.shared_dropout(reference, step=0):
        expected = reference(torch.ones(6, 40, 3, 5)).numpy()
    assert set(expected.mean((2, 3)).ravel()) == {0.0, 2.0}
    port = nnx.Dict(drop=nnx.Dropout(0.5, broadcast_dims=(1, 2), rngs=nnx.Rngs(0)))
    with jax_dropout.shared_dropout(port, {"drop": "0"}, lambda *_: Layout(True), step=0):
        found = port["drop"](jnp.ones((6, 3, 5, 40)))
    np.testing.assert_array_equal(np.moveaxis(found, -1, 1), expected)


def test_second_call_has_masks_of_its_own_and_eval_mode_has_none():
    layer = nn.Sequential(nn.Dropout(0.5))
    x = torch.ones(1000)
    with torch_tap.shared_dropout(layer, step=0):
        one, two = layer(x), layer(x)
        assert torch.equal(layer.eval()(x), x)
    with torch_tap.shared_dropout(layer.train(), step=0, first_call=1):
        again = layer(x)
    assert not torch.equal(one, two)
    assert torch.equal(two, again)
    assert "forward" not in vars(layer[0]), "the layer is as it was"
    port = nnx.Dict(drop=nnx.Dropout(0.5))
    port.eval()
    with jax_dropout.shared_dropout(port, {"drop": "0"}, lambda *_: Layout(), step=0):
        assert (port["drop"](jnp.ones(1000)) == 1).all()
