"""Attention is PyTorch's: packed weights, and masks where True shuts out."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch import nn

from parity.layers import MultiheadAttention

CAUSAL = np.triu(np.ones((4, 5), bool), 1)
PADDING = np.array([[False] * 5, [False] * 3 + [True] * 2, [False, True, False, False, True]])


def _masks(name, as_array):
    masks = {
        "none": {},
        "causal": {"attn_mask": CAUSAL},
        "added": {"attn_mask": np.random.default_rng(2).standard_normal((4, 5))},
        "padding": {"key_padding_mask": PADDING},
        "both": {"attn_mask": CAUSAL, "key_padding_mask": PADDING},
        "by head": {"attn_mask": np.random.default_rng(2).standard_normal((6, 4, 5)) > 1.0},
    }
    return {key: as_array(mask) for key, mask in masks[name].items()}


@pytest.mark.parametrize("mask", ["none", "causal", "added", "padding", "both", "by head"])
def test_masks(agree, numbers, rngs, mask):
    _agree(agree, numbers, rngs, mask, 6, 6)


@pytest.mark.parametrize("options", [{"batch_first": False}, {"bias": False}], ids=str)
def test_options(agree, numbers, rngs, options):
    _agree(agree, numbers, rngs, "padding", 6, 6, **options)


def test_keys_and_values_of_other_sizes(agree, numbers, rngs):
    _agree(agree, numbers, rngs, "none", 4, 3)


def _agree(agree, numbers, rngs, mask, kdim, vdim, **options):
    options = {"batch_first": True, "kdim": kdim, "vdim": vdim, **options}
    inputs = [numbers(3, 4, 6), numbers(3, 5, kdim), numbers(3, 5, vdim)]
    if not options["batch_first"]:
        inputs = [x.swapaxes(0, 1) for x in inputs]

    def run_torch(layer, *x):
        y, weights = layer(*x, **_masks(mask, torch.from_numpy))
        return torch.cat([y.flatten(), weights.flatten()])

    def run_flax(layer, *x):
        y, weights = layer(*x, **_masks(mask, jnp.asarray))
        return jnp.concatenate([y.ravel(), weights.ravel()])

    reference = nn.MultiheadAttention(6, 2, **options)
    port = MultiheadAttention(6, 2, **options, rngs=rngs)
    agree(reference, port, inputs, run_torch=run_torch, run_flax=run_flax)


def test_heads_must_divide_the_size(rngs):
    with pytest.raises(ValueError, match="4 heads do not divide embed_dim 6"):
        MultiheadAttention(6, 4, rngs=rngs)
