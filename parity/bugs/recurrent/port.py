"""An LSTM and a GRU in Flax, made of parts: right ones, and wrong ones that people wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from parity.layers import GRU, Linear
from parity.layers.recurrent import Recurrent, Weights, affine

Array = jax.Array


class Network(nnx.Module):
    """Sequences (n, time, 3) -> (n, 4)."""

    def __init__(self, seed: int, parts: Mapping[str, Callable[..., Any]]) -> None:
        rngs = nnx.Rngs(seed)
        self.lstm = parts["lstm"](parts["gates"], rngs)
        self.gru = parts["gru"](rngs)
        self.head = Linear(6, 4, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        x = _outputs(self.lstm(x))
        x = _outputs(self.gru(x))
        return self.head(x[:, -1])


def _outputs(returned: Any) -> Array:
    """Of a layer that returns its state as well, as PyTorch's do; `nnx.RNN` does not."""
    return returned[0] if isinstance(returned, tuple) else returned


# gates ------------------------------------------------------------------------------------------


class LSTM(Recurrent):
    """An LSTM on PyTorch's weights, whose four gates are stacked."""

    gates = 4

    def __init__(self, split: Callable[[Array], tuple[Array, ...]], rngs: nnx.Rngs) -> None:
        super().__init__(3, 5, batch_first=True, rngs=rngs)
        self.split = split

    def __call__(self, x: Array) -> tuple[Array, Any]:
        zeros = self._zeros(x)
        return self._run(x, [(zeros[0], zeros[0])], self._step)

    def _step(self, weights: Weights, state: Any, x: Array) -> tuple[Any, Array]:
        (w_ih, w_hh, b_ih, b_hh), (h, c) = weights, state
        i, f, g, o = self.split(affine(w_ih, x, b_ih) + affine(w_hh, h, b_hh))
        c = nnx.sigmoid(f) * c + nnx.sigmoid(i) * jnp.tanh(g)
        h = nnx.sigmoid(o) * jnp.tanh(c)
        return (h, c), h


def gates_ifgo(stacked: Array) -> tuple[Array, ...]:
    i, f, g, o = jnp.split(stacked, 4, axis=-1)
    return i, f, g, o


def gates_igfo(stacked: Array) -> tuple[Array, ...]:
    i, g, f, o = jnp.split(stacked, 4, axis=-1)
    return i, f, g, o


# biases -----------------------------------------------------------------------------------------


def lstm_of_two_biases(gates: Any, rngs: nnx.Rngs) -> LSTM:
    return LSTM(gates, rngs)


def lstm_of_one_bias(gates: Any, rngs: nnx.Rngs) -> nnx.RNN:
    cell = nnx.OptimizedLSTMCell(3, 5, **pytorch_start(5), rngs=rngs)
    return nnx.RNN(cell, rngs=rngs)


def gru_with_hidden_bias(rngs: nnx.Rngs) -> GRU:
    return GRU(5, 6, batch_first=True, rngs=rngs)


def gru_without_hidden_bias(rngs: nnx.Rngs) -> nnx.RNN:
    cell = nnx.GRUCell(5, 6, **pytorch_start(6), rngs=rngs)
    return nnx.RNN(cell, rngs=rngs)


def pytorch_start(hidden: int) -> dict[str, Any]:
    """Options of a cell that starts as PyTorch's does."""

    def start(key: Array, shape: Any, dtype: Any = jnp.float32, out_sharding: Any = None) -> Array:
        return jax.random.uniform(key, shape, dtype, -(hidden**-0.5), hidden**-0.5)

    return {"kernel_init": start, "recurrent_kernel_init": start, "bias_init": start}
