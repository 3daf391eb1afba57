"""Normalisations go across and compute the same."""

from __future__ import annotations

import pytest
from flax import nnx
from torch import nn

SHAPES = {1: (5, 4, 7), 2: (5, 4, 7, 6), 3: (5, 4, 3, 2, 6)}


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm(prove, numbers, rngs, dimensions, affine, training):
    reference = getattr(nn, f"BatchNorm{dimensions}d")(4, eps=1e-3, affine=affine)
    port = nnx.BatchNorm(
        4,
        use_running_average=not training,
        epsilon=1e-3,
        use_scale=affine,
        use_bias=affine,
        rngs=rngs,
    )
    reference.train(training)
    prove(reference, port, [numbers(*SHAPES[dimensions])], channels_last=True)


@pytest.mark.parametrize("options", [{}, {"bias": False}, {"elementwise_affine": False}])
def test_layer_norm(prove, numbers, rngs, options):
    affine = options.get("elementwise_affine", True)
    port = nnx.LayerNorm(
        6, epsilon=1e-5, use_scale=affine, use_bias=affine and options.get("bias", True), rngs=rngs
    )
    prove(nn.LayerNorm(6, **options), port, [numbers(2, 3, 6)])


def test_rms_norm(prove, numbers, rngs):
    prove(nn.RMSNorm(6, eps=1e-5), nnx.RMSNorm(6, epsilon=1e-5, rngs=rngs), [numbers(2, 3, 6)])


def test_group_norm(prove, numbers, rngs):
    port = nnx.GroupNorm(6, num_groups=3, epsilon=1e-5, rngs=rngs)
    prove(nn.GroupNorm(3, 6), port, [numbers(2, 6, 5, 4)], channels_last=True)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_instance_norm(prove, numbers, rngs, dimensions):
    reference = getattr(nn, f"InstanceNorm{dimensions}d")(4, affine=True)
    port = nnx.InstanceNorm(4, epsilon=1e-5, rngs=rngs)
    prove(reference, port, [numbers(*SHAPES[dimensions])], channels_last=True)
