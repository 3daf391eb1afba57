"""torchvision's MobileNetV2 and its twin in Flax NNX are one network."""

from __future__ import annotations

import numpy as np
import pytest
from flax import nnx

from parity.bridge import flax_end, torch_end
from parity.bridge.matching import match


def test_every_layer_has_its_counterpart_on_its_own_path(twins):
    both = twins("mobilenet_v2")
    assert both.mapping.by_shape == frozenset()
    assert not both.mapping.lossy
    assert len(both.mapping.bindings) == 22 + 22 + 1  # convolutions, batch norms, classifier


@pytest.mark.slow
def test_without_blocks_it_is_all_of_torchvisions(twins):
    twins("mobilenet_v2")  # puts the example's folder on the path
    from mobilenet_v2_flax import MobileNetV2
    from torchvision.models import mobilenet_v2

    theirs, ours = mobilenet_v2(), MobileNetV2(rngs=nnx.Rngs(0))
    mapping = match(torch_end.describe(theirs), flax_end.describe(ours))
    assert mapping.by_shape == frozenset()
    assert len(mapping.bindings) == 52 + 52 + 1
    assert sum(p.numel() for p in theirs.parameters()) == 3_504_872


@pytest.mark.parametrize("width_mult", [0.25, 0.35, 0.75, 1.0, 1.4])
def test_channels_are_rounded_as_torchvision_does(twins, width_mult):
    twins("mobilenet_v2")  # puts the example's folder on the path
    from mobilenet_v2_flax import divisible
    from torchvision.models._utils import _make_divisible

    for channels in (16, 24, 32, 64, 96, 160, 320, 1280):
        wanted = channels * width_mult
        assert divisible(wanted) == _make_divisible(wanted, 8)


def test_initial_values_have_torchvisions_distributions(start_alike):
    start_alike("mobilenet_v2")


@pytest.mark.slow
def test_same_logits_with_the_running_statistics(evaluation_agrees):
    evaluation_agrees("mobilenet_v2")


@pytest.mark.slow
def test_only_the_running_variance_of_a_training_step_is_another(training_agrees):
    """Stock nnx.BatchNorm keeps the variance of n values divided by n, PyTorch's by n - 1."""
    before, there, here = training_agrees("mobilenet_v2")
    assert len(there) == 44
    for name, array in there.items():
        if name.endswith("running_mean"):
            np.testing.assert_allclose(here[name], array, rtol=1e-10, atol=1e-12)
            continue
        old = 0.9 * before[name]
        ratios = (array - old) / (here[name] - old)
        values = 1 / (1 - 1 / ratios[0])
        assert values == pytest.approx(round(values), rel=1e-6)
        assert 6 * 3 * 2 <= round(values) <= 6 * 24 * 16  # pictures, and the places in each
        np.testing.assert_allclose(ratios, ratios[0], rtol=1e-8)
