"""The convolutional autoencoder and its twin in Flax NNX are one network."""

from __future__ import annotations

import numpy as np


def test_every_layer_has_its_counterpart_on_its_own_path(twins):
    both = twins("autoencoder")
    assert both.mapping.by_shape == frozenset()
    assert not both.mapping.lossy
    layers = {"conv1", "norm1", "conv2", "deconv1", "norm2", "deconv2"}
    assert both.mapping.modules == {layer: layer for layer in layers}


def test_reconstruction_and_code_in_pytorchs_layout(twins):
    both = twins("autoencoder")
    both.reference.float()
    pictures = both.batch(2)[0].astype(np.float32)
    assert pictures.shape == (2, 3, 12, 20)
    for outputs in (both.outputs_of_reference(pictures), both.outputs_of_port(pictures)):
        assert [a.shape for a in outputs.values()] == [(2, 3, 12, 20), (2, 4, 3, 5)]


def test_initial_values_have_pytorchs_distributions(start_alike):
    start_alike("autoencoder", seeds=12)


def test_same_outputs_with_the_running_statistics(evaluation_agrees):
    evaluation_agrees("autoencoder")


def test_same_outputs_gradients_and_running_statistics_of_a_training_step(training_agrees):
    before, there, here = training_agrees("autoencoder")
    assert len(there) == 4
    for name, array in there.items():
        assert not np.array_equal(array, before[name])
        np.testing.assert_allclose(here[name], array, rtol=1e-10, atol=1e-12)
