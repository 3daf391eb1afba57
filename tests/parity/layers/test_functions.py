"""Pooling and resizing are PyTorch's; so are the two activations that NNX has itself."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from flax import nnx
from torch import nn

from parity.layers import adaptive_avg_pool, avg_pool, max_pool, resize


class TorchFunction(nn.Module):
    def __init__(self, function, **options):
        super().__init__()
        self.function = functools.partial(function, **options)

    def forward(self, x):
        return self.function(x)


class FlaxFunction(nnx.Module):
    def __init__(self, function, **options):
        self.function = functools.partial(function, **options)

    def __call__(self, x):
        return self.function(x)


@pytest.fixture
def functions_agree(agree):
    def functions_agree(reference, port, x):
        agree(reference, port, [x], channels_last=True)

    return functions_agree


POOLS = [
    {},
    {"stride": 1},
    {"stride": 2, "padding": 1},
    {"stride": (3, 2), "ceil_mode": True},
    {"stride": 2, "padding": 1, "ceil_mode": True},
]


@pytest.mark.parametrize("options", [*POOLS, {"dilation": 2, "stride": 1}], ids=str)
def test_max_pool(functions_agree, numbers, options):
    """Of several maxima the first has the gradient; NaN wins."""
    x = np.round(numbers(2, 3, 8, 11))
    x[0, 0, 4, 5] = np.nan
    reference = TorchFunction(F.max_pool2d, kernel_size=(3, 2), **options)
    functions_agree(reference, FlaxFunction(max_pool, window=(3, 2), **options), x)


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("options", POOLS, ids=str)
def test_avg_pool(functions_agree, numbers, options, counted):
    options = {**options, "count_include_pad": counted}
    reference = TorchFunction(F.avg_pool2d, kernel_size=(3, 2), **options)
    port = FlaxFunction(avg_pool, window=(3, 2), **options)
    functions_agree(reference, port, numbers(2, 3, 8, 11))


def test_pools_of_other_dimensions(functions_agree, numbers):
    x = numbers(2, 3, 9)
    functions_agree(
        TorchFunction(F.max_pool1d, kernel_size=3), FlaxFunction(max_pool, window=(3,)), x
    )
    x = numbers(2, 3, 5, 4, 6)
    functions_agree(
        TorchFunction(F.avg_pool3d, kernel_size=2, divisor_override=3),
        FlaxFunction(avg_pool, window=(2, 2, 2), divisor_override=3),
        x,
    )


@pytest.mark.parametrize("size", [(1, 1), (3, 4), (7, 2), (9, 11)])
def test_adaptive_avg_pool(functions_agree, numbers, size):
    reference = TorchFunction(F.adaptive_avg_pool2d, output_size=size)
    functions_agree(
        reference, FlaxFunction(adaptive_avg_pool, output_size=size), numbers(2, 3, 7, 9)
    )


SIZES = [{"size": (5, 13)}, {"size": (14, 4)}, {"scale_factor": (1.7, 0.6)}, {"size": (1, 9)}]
MODES = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("options", SIZES, ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_resize(functions_agree, numbers, mode, options, align_corners):
    corners = {} if mode == "nearest" else {"align_corners": align_corners}
    reference = TorchFunction(F.interpolate, mode=MODES[mode], **options, **corners)
    port = FlaxFunction(resize, mode=mode, **options, **corners)
    functions_agree(reference, port, numbers(2, 3, 7, 9))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"size": (2, 2), "mode": "area"}, "mode is 'area'"),
        ({}, "either size or scale_factor"),
        ({"size": (2, 2), "align_corners": True}, "align_corners"),
    ],
)
def test_resizes_that_cannot_be(numbers, options, text):
    with pytest.raises(ValueError, match=text):
        resize(numbers(1, 4, 4, 1), **options)


def test_relu_of_nnx_has_no_gradient_at_zero(functions_agree):
    x = np.array([[[-1.0, 0.0, 2.0, -0.0]]])
    functions_agree(TorchFunction(torch.relu), FlaxFunction(nnx.relu), x)


def test_gelu_of_nnx_is_exact_without_its_default(functions_agree, numbers):
    x = numbers(2, 3, 5)
    functions_agree(TorchFunction(F.gelu), FlaxFunction(nnx.gelu, approximate=False), x)
    with pytest.raises(AssertionError):
        functions_agree(TorchFunction(F.gelu), FlaxFunction(nnx.gelu), x)
