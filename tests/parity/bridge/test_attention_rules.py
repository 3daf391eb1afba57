"""Attention goes across and computes the same."""

from __future__ import annotations

import numpy as np
import pytest
from flax import nnx
from torch import nn


class TorchAttention(nn.Module):
    """Attention over a sequence and a memory, weights not returned."""

    def __init__(self, size, heads, **options):
        super().__init__()
        self.attention = nn.MultiheadAttention(size, heads, batch_first=True, **options)

    def forward(self, query, memory):
        return self.attention(query, memory, memory, need_weights=False)[0]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("memory_size", [6, 4])
def test_attention(prove, numbers, rngs, bias, memory_size):
    reference = TorchAttention(6, 2, bias=bias, kdim=memory_size, vdim=memory_size)
    port = nnx.Dict(
        attention=nnx.MultiHeadAttention(
            2,
            6,
            in_kv_features=memory_size,
            use_bias=bias,
            decode=False,
            # Its default computes the softmax in float32.
            attention_fn=_attention,
            rngs=rngs,
        )
    )
    inputs = [numbers(3, 5, 6), numbers(3, 4, memory_size)]
    mapping = prove(reference, port, inputs, call=lambda q, m: port["attention"](q, m))
    assert mapping.modules == {"attention": "attention"}


def _attention(query, key, value, **options):
    import jax
    import jax.numpy as jnp

    scores = jnp.einsum("bqhd,bkhd->bhqk", query, key) / np.sqrt(query.shape[-1])
    return jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(scores), value)


def test_the_packed_weight_is_query_key_value(pair_up, rngs):
    port = nnx.MultiHeadAttention(2, 4, use_bias=False, rngs=rngs)
    mapping = pair_up(nn.MultiheadAttention(4, 2, bias=False), port)
    packed = np.repeat([1.0, 2.0, 3.0], 4)[:, None] * np.ones((12, 4))
    arrays = mapping.to_flax({"in_proj_weight": packed, "out_proj.weight": np.eye(4)})
    for part, value in {"query": 1, "key": 2, "value": 3}.items():
        assert (arrays[f"{part}/kernel"] == value).all()
        assert arrays[f"{part}/kernel"].shape == (4, 2, 2)
