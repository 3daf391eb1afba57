"""Our norms are PyTorch's, running statistics included."""

from __future__ import annotations

import pytest
from torch import nn

from parity.layers import BatchNorm, InstanceNorm

SHAPES = {1: (5, 4, 7), 2: (5, 4, 3, 6), 3: (3, 4, 3, 2, 5)}


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_batch_norm(agree, numbers, dimensions, training, affine):
    options = {"eps": 1e-3, "momentum": 0.3, "affine": affine}
    reference = getattr(nn, f"BatchNorm{dimensions}d")(4, **options).train(training)
    port = BatchNorm(4, **options)
    port.train() if training else port.eval()
    agree(reference, port, [numbers(*SHAPES[dimensions])], channels_last=True)


@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_instance_norm(agree, numbers, dimensions, training, tracked):
    options = {"momentum": 0.3, "affine": True, "track_running_stats": tracked}
    reference = getattr(nn, f"InstanceNorm{dimensions}d")(4, **options).train(training)
    port = InstanceNorm(4, **options)
    port.train() if training else port.eval()
    agree(reference, port, [numbers(*SHAPES[dimensions])], channels_last=True)
