"""Convolutions of every kind go across and compute the same."""

from __future__ import annotations

import jax.numpy as jnp
import pytest
from flax import nnx
from torch import nn

WINDOWS = {1: (3,), 2: (3, 2), 3: (3, 2, 4)}
PICTURES = {1: (9,), 2: (9, 7), 3: (6, 7, 8)}
OPTIONS = [
    {},
    {"stride": 2},
    {"padding": 1},
    {"dilation": 2},
    {"groups": 2},
    {"stride": 2, "padding": 1, "dilation": 2, "groups": 2, "bias": False},
]


def _name(options: dict) -> str:
    return "-".join(f"{k}{v}" for k, v in options.items()) or "plain"


@pytest.mark.parametrize("options", OPTIONS, ids=_name)
@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_convolution(prove, numbers, rngs, dimensions, options):
    window = WINDOWS[dimensions]
    reference = getattr(nn, f"Conv{dimensions}d")(4, 6, window, **options)
    port = nnx.Conv(
        4,
        6,
        window,
        strides=options.get("stride", 1),
        padding=options.get("padding", 0),
        kernel_dilation=options.get("dilation", 1),
        feature_group_count=options.get("groups", 1),
        use_bias=options.get("bias", True),
        rngs=rngs,
    )
    prove(reference, port, [numbers(2, 4, *PICTURES[dimensions])], channels_last=True)


PAD_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@pytest.mark.parametrize("mode", PAD_MODES)
def test_padding_mode_takes_only_padding_by_hand(prove, numbers, rngs, mode):
    reference = nn.Conv2d(2, 3, (3, 5), padding=(1, 2), padding_mode=mode)
    port = nnx.Conv(2, 3, (3, 5), padding="VALID", rngs=rngs)

    def call(x):
        return port(jnp.pad(x, ((0, 0), (1, 1), (2, 2), (0, 0)), mode=PAD_MODES[mode]))

    prove(reference, port, [numbers(2, 2, 7, 8)], channels_last=True, call=call)


@pytest.mark.parametrize("transpose_kernel", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stride": 2},
        {"padding": 1},
        {"dilation": 2},
        {"stride": 3, "padding": 1, "output_padding": 1, "dilation": 2, "bias": False},
    ],
    ids=_name,
)
@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_transposed_convolution(prove, numbers, rngs, dimensions, options, transpose_kernel):
    window = WINDOWS[dimensions]
    reference = getattr(nn, f"ConvTranspose{dimensions}d")(4, 3, window, **options)
    dilation, extra = options.get("dilation", 1), options.get("output_padding", 0)
    # PyTorch's padding takes away from the output; NNX's is added around the input.
    pads = [dilation * (k - 1) - options.get("padding", 0) for k in window]
    port = nnx.ConvTranspose(
        4,
        3,
        window,
        strides=(options.get("stride", 1),) * dimensions,
        padding=[(pad, pad + extra) for pad in pads],
        kernel_dilation=(dilation,) * dimensions,
        use_bias=options.get("bias", True),
        transpose_kernel=transpose_kernel,
        rngs=rngs,
    )
    prove(reference, port, [numbers(2, 4, *PICTURES[dimensions])], channels_last=True)
