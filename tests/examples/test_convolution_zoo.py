"""Every kind of convolution computes the same in both frameworks."""

from __future__ import annotations

import pytest
from torch import nn

# PyTorch says, once a process, that an even kernel with 'same' costs a copy of the input.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")


def test_every_layer_has_its_counterpart_on_its_own_path(twins):
    both = twins("convolution_zoo")
    assert both.mapping.by_shape == frozenset()
    assert not both.mapping.lossy
    assert len(both.mapping.bindings) == 9 + 17 + 7


def test_the_zoo_holds_every_option_of_every_kind(twins):
    layers = [m for m in twins("convolution_zoo").reference.modules() if _is_convolution(m)]
    for dimensions in (1, 2, 3):
        plain = [m for m in layers if type(m) is getattr(nn, f"Conv{dimensions}d")]
        modes = {m.padding_mode for m in plain}
        assert modes == {"zeros", "reflect", "replicate", "circular"}
        for kind in (
            plain,
            [m for m in layers if type(m) is getattr(nn, f"ConvTranspose{dimensions}d")],
        ):
            assert any(max(m.stride) > 1 for m in kind)
            assert any(m.padding not in ("valid", (0,) * dimensions) for m in kind)
            assert any(m.groups > 1 for m in kind)
    assert {m.padding for m in layers if isinstance(m.padding, str)} == {"same", "valid"}
    assert any(m.groups == m.in_channels for m in layers)
    assert any(max(getattr(m, "output_padding", (0,))) for m in layers)


def test_initial_values_have_pytorchs_distributions(start_alike):
    start_alike("convolution_zoo")


@pytest.mark.slow
def test_same_outputs(evaluation_agrees):
    evaluation_agrees("convolution_zoo")


@pytest.mark.slow
def test_same_gradients(training_agrees):
    training_agrees("convolution_zoo")


def _is_convolution(module: nn.Module) -> bool:
    return isinstance(module, nn.modules.conv._ConvNd)
