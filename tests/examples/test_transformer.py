"""The Transformer encoder and its twin in stock Flax NNX are one network.

Stock layers hold on to float32: `nnx.Embed` by its dtype, `nnx.MultiHeadAttention` in its softmax.
As they are, they agree with PyTorch in float64 to about 1e-7. So these tests raise them as the
harness does, and compare to 1e-10 like the others.
"""

from __future__ import annotations

import jax
import numpy as np
import pytest
from torch import nn

from parity.capture.float64_attention import float64_attention
from parity.capture.promotion import promote


@pytest.fixture(autouse=True)
def softmax_in_float64():
    with float64_attention() as notes:
        yield notes


@pytest.fixture
def twins(twins):
    def build(name, seed=0):
        both = twins(name, seed)
        if jax.config.jax_enable_x64:
            promote(both.port)
        return both

    return build


def test_every_layer_has_its_counterpart_on_its_path_after_the_renames(twins):
    both = twins("transformer")
    assert both.mapping.by_shape == frozenset()
    assert not both.mapping.lossy
    assert len(both.mapping.bindings) == 1 + 1 + 2 * 5 + 2  # position, embedding, layers, end
    assert both.mapping.modules["layers.1.attention"] == "blocks/1/attention"


def test_both_hold_the_same_dropout_layers(twins):
    both = twins("transformer")
    rates = {n: m.p for n, m in both.reference.named_modules() if isinstance(m, nn.Dropout)}
    assert len(rates) == 1 + 2 * 3
    for name, rate in rates.items():
        layer = both.port
        for key in name.replace("layers", "blocks").split("."):
            layer = layer[int(key)] if key.isdigit() else getattr(layer, key)
        assert layer.rate == rate == 0.1


def test_what_lies_in_the_padding_does_not_count(twins):
    both = twins("transformer")
    both.port.eval()
    (tokens, padding), _ = both.batch(8)
    assert padding.any()
    assert not padding.all(axis=1).any()
    found = both.outputs_of_port((np.where(padding, 7, tokens), padding))
    for name, expected in both.outputs_of_port((tokens, padding)).items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-5, atol=1e-6)


def test_initial_values_have_pytorchs_distributions(start_alike):
    start_alike("transformer", seeds=12)


def test_same_outputs(evaluation_agrees, softmax_in_float64):
    evaluation_agrees("transformer")
    assert softmax_in_float64  # or it was not the stock attention


def test_same_outputs_and_gradients_without_dropout(training_agrees):
    training_agrees("transformer")
