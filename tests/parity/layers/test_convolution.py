"""Our convolutions are PyTorch's, in every dimension and padding mode."""

from __future__ import annotations

import pytest
from torch import nn

from parity.layers import Conv, ConvTranspose

WINDOWS = {1: (3,), 2: (3, 2), 3: (3, 2, 4)}
PICTURES = {1: (9,), 2: (9, 7), 3: (6, 5, 7)}
PADDING = {1: (2,), 2: (2, 1), 3: (2, 1, 3)}


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_padding_modes(agree, numbers, rngs, dimensions, mode):
    options = {"padding": PADDING[dimensions], "padding_mode": mode, "stride": 2}
    reference = getattr(nn, f"Conv{dimensions}d")(2, 3, WINDOWS[dimensions], **options)
    port = Conv(2, 3, WINDOWS[dimensions], **options, rngs=rngs)
    agree(reference, port, [numbers(2, 2, *PICTURES[dimensions])], channels_last=True)


@pytest.mark.parametrize(
    "options",
    [
        {"dilation": 2, "groups": 2, "bias": False},
        {"padding": "same", "dilation": (1, 2)},
        {"padding": "same", "padding_mode": "reflect"},
        {"padding": "valid"},
        {"groups": 4, "stride": (1, 2), "padding": (0, 1)},
    ],
    ids=str,
)
def test_options(agree, numbers, rngs, options):
    reference = nn.Conv2d(4, 8, (3, 2), **options)
    port = Conv(4, 8, (3, 2), **options, rngs=rngs)
    agree(reference, port, [numbers(2, 4, 9, 7)], channels_last=True)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"groups": 2},
        {"stride": 3, "padding": 1, "output_padding": 2, "dilation": 2, "groups": 2},
        {"stride": 2, "padding": 3, "bias": False},
    ],
    ids=str,
)
@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_transposed(agree, numbers, rngs, dimensions, options):
    window = WINDOWS[dimensions]
    reference = getattr(nn, f"ConvTranspose{dimensions}d")(4, 6, window, **options)
    port = ConvTranspose(4, 6, window, **options, rngs=rngs)
    agree(reference, port, [numbers(2, 4, *PICTURES[dimensions])], channels_last=True)


def test_what_pytorch_does_not_have_is_refused(rngs):
    with pytest.raises(ValueError, match="padding_mode is 'edge'"):
        Conv(2, 3, (3,), padding_mode="edge", rngs=rngs)
    with pytest.raises(ValueError, match="stride 1"):
        Conv(2, 3, (3,), padding="same", stride=2, rngs=rngs)
    with pytest.raises(ValueError, match="expected one number or 2"):
        Conv(2, 3, (3, 3), stride=(1, 2, 3), rngs=rngs)
