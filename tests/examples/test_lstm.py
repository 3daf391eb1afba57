"""The LSTM classifier and its twin in Flax NNX are one network."""

from __future__ import annotations

import jax
import numpy as np


def test_every_layer_has_its_counterpart_on_its_own_path(twins):
    both = twins("lstm")
    assert both.mapping.by_shape == frozenset()
    assert not both.mapping.lossy
    assert both.mapping.modules == {"embedding": "embedding", "lstm": "lstm", "head": "head"}
    assert len(list(both.reference.lstm.parameters())) == 2 * 2 * 4  # layers, directions


def test_batches_hold_padding_at_the_end_only(twins):
    tokens, _ = twins("lstm").batch(200)
    assert tokens.shape == (200, 7)
    padding = tokens == 0
    assert padding.any()
    assert not padding[:, :2].any()
    assert (np.diff(padding.astype(int)) >= 0).all()


def test_initial_values_have_pytorchs_distributions(start_alike):
    start_alike("lstm", seeds=12)


def test_same_logits(evaluation_agrees):
    evaluation_agrees("lstm")


def test_same_gradients_and_none_for_the_padding_row(training_agrees, twins):
    training_agrees("lstm")
    with jax.enable_x64(True):
        both = twins("lstm")
        both.carry_over()
        gradient = both.gradients_of_port(*both.batch(200))["embedding.weight"]
    assert not gradient[0].any()
    assert gradient[1:].any(axis=1).all()
