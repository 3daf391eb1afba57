"""LSTM and GRU go across and compute the same, and what is lost is said."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from torch import nn

from parity.bridge import torch_end
from parity.bridge.declarations import Waiver


class First(nn.Module):
    """The outputs of a recurrent layer without its last state."""

    def __init__(self, layer):
        super().__init__()
        self.rnn = layer

    def forward(self, x):
        return self.rnn(x)[0]


class Stack(nnx.Module):
    """Recurrent layers one after the other."""

    def __init__(self, layers):
        self.rnn = nnx.List(layers) if len(layers) > 1 else layers[0]

    def __call__(self, x):
        for layer in self.rnn if isinstance(self.rnn, nnx.List) else [self.rnn]:
            x = layer(x)
        return x


def _layer(kind, inputs, hidden, bidirectional, rngs):
    cells = [kind(inputs, hidden, rngs=rngs) for _ in range(1 + bidirectional)]
    for cell in cells:
        cell.param_dtype = jnp.float64  # the first state's dtype, whatever its parameters' is
    layers = [nnx.RNN(cell) for cell in cells]
    return nnx.Bidirectional(*layers) if bidirectional else layers[0]


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", [nnx.LSTMCell, nnx.OptimizedLSTMCell])
def test_lstm(prove, numbers, rngs, cell, layers, bidirectional):
    sizes = [3, *[4 * (1 + bidirectional)] * (layers - 1)]
    port = Stack([_layer(cell, size, 4, bidirectional, rngs) for size in sizes])
    options = {"num_layers": layers, "bidirectional": bidirectional, "batch_first": True}
    mapping = prove(First(nn.LSTM(3, 4, **options)), port, [numbers(2, 5, 3)], lossy=True)
    assert "bias_ih is the sum and bias_hh 0" in mapping.table()


def test_an_lstm_comes_back_with_its_biases_summed(pair_up, rngs):
    reference = nn.LSTM(3, 4)
    mapping = pair_up(reference, nnx.RNN(nnx.LSTMCell(3, 4, rngs=rngs)))
    canonical = torch_end.export(reference)
    arrays = mapping.to_flax(canonical)
    back = mapping.to_canonical(arrays)
    for name in ("weight_ih_l0", "weight_hh_l0"):
        np.testing.assert_array_equal(back[name], canonical[name])
    both = canonical["bias_ih_l0"] + canonical["bias_hh_l0"]
    np.testing.assert_array_equal(back["bias_ih_l0"], both)
    np.testing.assert_array_equal(back["bias_hh_l0"], np.zeros(16))
    for name, array in mapping.to_flax(back).items():
        np.testing.assert_array_equal(array, arrays[name])


def test_both_biases_of_an_lstm_have_the_gradient_of_their_sum(pair_up, rngs):
    mapping = pair_up(nn.LSTM(3, 4), nnx.RNN(nnx.OptimizedLSTMCell(3, 4, rngs=rngs)))
    gradients = {
        name: np.arange(array.size, dtype=np.float32).reshape(array.shape)
        for name, array in mapping.to_flax(torch_end.export(nn.LSTM(3, 4))).items()
    }
    back = mapping.gradients_to_canonical(gradients)
    np.testing.assert_array_equal(back["bias_ih_l0"], gradients["cell/dense_h/bias"])
    np.testing.assert_array_equal(back["bias_hh_l0"], gradients["cell/dense_h/bias"])


@pytest.mark.parametrize("bidirectional", [False, True])
def test_gru_without_biases(prove, numbers, rngs, bidirectional):
    """NNX's cell always has an input bias: it is waived and stays 0."""
    port = Stack([_layer(nnx.GRUCell, 3, 4, bidirectional, rngs)])
    cells = ["forward_rnn/cell", "backward_rnn/cell"] if bidirectional else ["cell"]
    waivers = [Waiver(f"rnn/{cell}/dense_i/bias", "stays 0") for cell in cells]
    reference = First(nn.GRU(3, 4, bias=False, bidirectional=bidirectional, batch_first=True))
    prove(reference, port, [numbers(2, 5, 3)], waivers=waivers)


def test_layers_under_other_names_are_renamed_to_numbers(pair_up, rngs):
    class Named(nnx.Module):
        def __init__(self):
            self.upper = _layer(nnx.LSTMCell, 4, 4, False, rngs)
            self.lower = _layer(nnx.LSTMCell, 4, 4, False, rngs)

    reference = nn.ModuleDict({"lstm": nn.LSTM(4, 4, num_layers=2)})
    mapping = pair_up(reference, Named(), renames={"lower": "lstm/0", "upper": "lstm/1"})
    canonical = torch_end.export(reference)
    arrays = mapping.to_flax(canonical)
    first = canonical["lstm.weight_ih_l0"][:4]
    np.testing.assert_array_equal(arrays["lower/cell/ii/kernel"], first.T)
