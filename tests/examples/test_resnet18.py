"""torchvision's ResNet-18 and its twin in Flax NNX are one network."""

from __future__ import annotations

import numpy as np
import pytest


def test_every_layer_has_its_counterpart_on_its_own_path(twins):
    both = twins("resnet18")
    assert both.mapping.by_shape == frozenset()
    assert not both.mapping.lossy
    assert len(both.mapping.bindings) == 20 + 20 + 1  # convolutions, batch norms, fc
    assert sum(p.numel() for p in both.reference.parameters()) == 11_181_642


def test_initial_values_have_torchvisions_distributions(start_alike):
    start_alike("resnet18")


@pytest.mark.slow
def test_same_logits_with_the_running_statistics(evaluation_agrees):
    evaluation_agrees("resnet18")


@pytest.mark.slow
def test_same_logits_gradients_and_running_statistics_of_a_training_step(training_agrees):
    before, there, here = training_agrees("resnet18")
    assert len(there) == 40
    for name, array in there.items():
        assert not np.array_equal(array, before[name])
        np.testing.assert_allclose(here[name], array, rtol=1e-10, atol=1e-12)
