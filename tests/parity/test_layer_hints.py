"""Hints of layers that compute something else: each mistake is made here, in PyTorch's own words.

What PyTorch returns with the setting that a port has is what the port returns.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from parity.bridge.torch_end import describe
from parity.capture.capture_file import Capture
from parity.evidence import LaneEvidence
from parity.hints import find_hint
from parity.stages.case import Case
from parity.verdict import Departure, Hint, Row

PICTURE = torch.from_numpy(np.random.default_rng(5).normal(size=(2, 4, 8, 10)))
SEQUENCE = torch.from_numpy(np.random.default_rng(6).normal(size=(2, 5, 3)))


def hint_for(layer: nn.Module, given: Tensor, port: Any, between: bool = False) -> Hint | None:
    """The hint where a port returns `port` for what `layer` returns.

    `between`: the port has no such layer, and the array is what the next one is given.
    """
    model = nn.Sequential(layer.double(), nn.Identity())
    returned = layer(given)
    returned = returned[0] if isinstance(returned, tuple) else returned
    timeline = [[kind, path, 0, ["0"], True] for path in ("0", "1") for kind in ("enter", "exit")]
    about = {"structure": describe(model).to_json(), "timeline": {"train": timeline}}
    arrays = {f"weight/{n}": t.detach().numpy() for n, t in model.state_dict().items()}
    arrays |= {"train/enter/0#0/0": given.numpy(), "train/exit/0#0/0": returned.detach().numpy(),
               "train/enter/1#0/0": returned.detach().numpy()}  # fmt: skip
    place = ("1", "train/enter/1#0/0") if between else ("0", "train/exit/0#0/0")
    there = {**arrays, place[1]: np.asarray(port)}
    case = Case(LaneEvidence("float64", Capture(about, arrays), Capture({}, there)))
    row = Row(name=place[1], what="", run="train", layer=place[0])
    return find_hint(case, Departure(stage="forward", lane="float64", place="output", text="",
                                     layer=place[0], row=row))  # fmt: skip


def bug_of(hint: Hint | None) -> int | None:
    return hint.bug if hint else None


def conv(layer: Any, given: Tensor = PICTURE, **changed: Any) -> np.ndarray:
    """What a convolution returns with other options."""
    layer.double()
    options = {n: getattr(layer, n) for n in ("stride", "padding", "dilation", "groups")} | changed
    return F.conv2d(given, layer.weight, layer.bias, **options).detach().numpy()


def test_padding_same_at_stride_2_pads_behind_only() -> None:
    layer = nn.Conv2d(4, 6, 3, stride=2, padding=1)
    port = conv(layer, F.pad(PICTURE, (0, 1, 0, 1)), padding=0)
    assert bug_of(hint_for(layer, PICTURE, port)) == 10


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_a_padding_mode_that_is_dropped(mode: str) -> None:
    layer = nn.Conv2d(4, 6, 3, padding=1, padding_mode=mode)
    hint = hint_for(layer, PICTURE, conv(layer))
    assert bug_of(hint) == 16
    assert hint is not None
    assert repr(mode) in hint.text


def test_dilation_that_is_ignored() -> None:
    layer = nn.Conv2d(4, 6, 3, padding=2, dilation=2)
    assert bug_of(hint_for(layer, PICTURE, conv(layer, padding=1, dilation=1))) == 15
    assert bug_of(hint_for(layer, PICTURE, conv(layer, dilation=1))) == 15


def test_groups_in_turns() -> None:
    layer = nn.Conv2d(4, 6, 3, groups=2)
    port = conv(layer)[:, [0, 3, 1, 4, 2, 5]]
    assert bug_of(hint_for(layer, PICTURE, port)) == 15


def test_transposed_convolution_without_flip_and_with_padding_of_the_input() -> None:
    layer = nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2).double()
    options: dict[str, Any] = {"stride": 2, "padding": 1, "output_padding": 1, "groups": 2}
    flipped = F.conv_transpose2d(PICTURE, layer.weight.flip(2, 3), layer.bias, **options)
    assert bug_of(hint_for(layer, PICTURE, flipped.detach())) == 13
    # Padding (2, 1), as 'SAME' has it, for (1, 2): the same picture, one pixel on.
    options["padding"], options["output_padding"] = 0, 0
    shifted = F.conv_transpose2d(PICTURE, layer.weight, layer.bias, **options)[:, :, :-1, :-1]
    assert bug_of(hint_for(layer, PICTURE, shifted.detach())) == 14
    assert bug_of(hint_for(layer, PICTURE, shifted.detach()[:, :, 1:, 1:])) == 14


def test_poolings() -> None:
    largest = nn.MaxPool2d(3, stride=2, padding=1)
    port = F.max_pool2d(F.pad(PICTURE, (0, 1, 0, 1), value=-torch.inf), 3, 2)
    assert bug_of(hint_for(largest, PICTURE, port)) == 11
    mean = nn.AvgPool2d(3, stride=1, padding=1)
    port = F.avg_pool2d(PICTURE, 3, 1, 1, count_include_pad=False)
    assert bug_of(hint_for(mean, PICTURE, port)) == 12


def test_a_pooling_that_is_no_layer_in_the_port_is_recognised_in_what_follows() -> None:
    port = F.max_pool2d(F.pad(PICTURE, (0, 1, 0, 1), value=-torch.inf), 3, 2)
    hint = hint_for(nn.MaxPool2d(3, stride=2, padding=1), PICTURE, port, between=True)
    assert bug_of(hint) == 11


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_resizing_with_antialias_or_without_corners(mode: str) -> None:
    smaller = nn.Upsample((5, 7), mode=mode)
    port = jax.image.resize(PICTURE.numpy(), (2, 4, 5, 7), mode)
    assert bug_of(hint_for(smaller, PICTURE, port)) is None  # float32 is no match in float64
    with jax.enable_x64(True):
        port = jax.image.resize(PICTURE.numpy(), (2, 4, 5, 7), mode)
    assert bug_of(hint_for(smaller, PICTURE, port)) == 28
    larger = nn.Upsample((11, 17), mode=mode, align_corners=True)
    port = F.interpolate(PICTURE, (11, 17), mode=mode)
    assert bug_of(hint_for(larger, PICTURE, port)) == 29


def test_nearest_by_centre() -> None:
    port = F.interpolate(PICTURE, (11, 17), mode="nearest-exact")
    assert bug_of(hint_for(nn.Upsample((11, 17)), PICTURE, port)) == 30


def test_gates_of_an_lstm_in_another_order() -> None:
    layer = nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True).double()
    other = nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True).double()
    for ours, theirs in zip(layer.parameters(), other.parameters(), strict=True):
        i, f, g, o = ours.detach().chunk(4)
        theirs.data = torch.cat([i, g, f, o])
    hint = hint_for(layer, SEQUENCE, other(SEQUENCE)[0].detach())
    assert bug_of(hint) == 32
    assert hint is not None
    assert "i, g, f, o" in hint.text


def test_a_gru_without_its_hidden_bias() -> None:
    layer, other = (nn.GRU(3, 4).double() for _ in range(2))
    other.load_state_dict(layer.state_dict())
    other.bias_hh_l0.data[8:] = 0
    assert bug_of(hint_for(layer, SEQUENCE, other(SEQUENCE)[0].detach())) == 31


def test_no_hint_where_no_known_mistake_fits() -> None:
    for layer in (nn.Conv2d(4, 6, 3), nn.MaxPool2d(3, padding=1), nn.ConvTranspose2d(4, 6, 3)):
        returned = layer.double()(PICTURE).detach().numpy()
        port = returned + np.sin(np.arange(returned.size)).reshape(returned.shape)
        assert hint_for(layer, PICTURE, port) is None
