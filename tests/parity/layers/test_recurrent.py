"""LSTM and GRU are PyTorch's: both biases, every layer and direction."""

from __future__ import annotations

import jax.numpy as jnp
import pytest
import torch
from torch import nn

from parity.layers import GRU, LSTM


def _all_of_torch(layer, x, *state):
    y, last = layer(x, _state(state))
    last = last if isinstance(last, tuple) else (last,)
    return torch.cat([y.flatten(), *(part.flatten() for part in last)])


def _all_of_ours(layer, x, *state):
    y, last = layer(x, _state(state))
    last = last if isinstance(last, tuple) else (last,)
    return jnp.concatenate([y.ravel(), *(part.ravel() for part in last)])


def _state(state):
    return (state if len(state) > 1 else state[0]) if state else None


@pytest.mark.parametrize("with_state", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bias": False, "batch_first": True},
        {"num_layers": 2, "bidirectional": True, "batch_first": True},
        {"num_layers": 3},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_recurrent(agree, numbers, rngs, kind, options, with_state):
    reference = getattr(nn, kind)(3, 4, **options)
    port = {"LSTM": LSTM, "GRU": GRU}[kind](3, 4, **options, rngs=rngs)
    x = numbers(2, 5, 3)  # five batches of two steps, or two of five
    batch = 2 if options.get("batch_first") else 5
    layers = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    count = {"LSTM": 2, "GRU": 1}[kind] if with_state else 0
    state = [numbers(layers, batch, 4) for _ in range(count)]
    agree(reference, port, [x, *state], run_torch=_all_of_torch, run_flax=_all_of_ours)
