"""The GRU classifier and its twin in Flax NNX are one network."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from parity.capture.promotion import promote


@pytest.fixture
def twins(twins):
    """`nnx.Embed` computes in float32 whatever its weights are: raised, as the harness does."""

    def build(name, seed=0):
        both = twins(name, seed)
        if jax.config.jax_enable_x64:
            promote(both.port)
        return both

    return build


def test_every_layer_has_its_counterpart_on_its_own_path(twins):
    both = twins("gru")
    assert both.mapping.by_shape == frozenset()
    assert not both.mapping.lossy
    assert both.mapping.modules == {"embedding": "embedding", "gru": "gru", "head": "head"}


def test_tokens_after_a_sequences_end_do_not_count(twins):
    both = twins("gru")
    inputs, _ = both.batch(8)
    tokens, lengths = inputs["tokens"], inputs["lengths"]
    after = np.arange(tokens.shape[1]) >= lengths[:, None]
    others = {**inputs, "tokens": np.where(after, 29 - tokens, tokens)}
    assert (others["tokens"] != tokens)[lengths < tokens.shape[1]].any(axis=1).all()
    np.testing.assert_array_equal(
        both.outputs_of_port(others)[""], both.outputs_of_port(inputs)[""]
    )


def test_initial_values_have_pytorchs_distributions(start_alike):
    start_alike("gru", seeds=12)


def test_same_logits(evaluation_agrees):
    evaluation_agrees("gru")


def test_same_logits_and_gradients_of_a_training_step(training_agrees):
    training_agrees("gru")
