"""Patterns of known bugs: each fits what that bug does, and nothing else.

The patterns of losses, backward passes, optimizers, loaders, batch norms and records are tested
with the stages that try them, on ports that really have the bug; here are those of one array.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from parity.bridge.structure import ModuleSpec, Structure
from parity.capture.capture_file import Capture
from parity.evidence import LaneEvidence
from parity.hints import find_hint
from parity.hints.arrays import ratio, same
from parity.hints.layers import convolve
from parity.hints.losses import cross_entropy, softmax
from parity.hints.pictures import flattened_channels_last
from parity.stages.case import Case
from parity.verdict import Departure, Hint, Row

RANDOM = np.random.default_rng(2)
PICTURE = RANDOM.normal(size=(2, 3, 4, 5))
SETTINGS = {"stride": [2, 1], "padding": [1, 0], "dilation": [1, 1], "groups": 1}


def hint_for(
    name: str, reference: np.ndarray, port: np.ndarray, layer: str = "", stage: str = "forward",
    arrays: dict[str, np.ndarray] | None = None, timeline: list[Any] | None = None,
) -> Hint | None:  # fmt: skip
    """The hint for a departure of one array of a model with a convolution and a Linear."""
    modules = (
        ModuleSpec("conv", "torch.nn.Conv2d", settings=SETTINGS),
        ModuleSpec("fc", "torch.nn.Linear"),
        ModuleSpec("embed", "torch.nn.Embedding"),
    )
    about = {"structure": Structure("torch", modules).to_json(), "lane": "float64"}
    about |= {"timeline": {"train": timeline or []}}
    given = {**(arrays or {}), name: reference}
    ours = Capture(about, given)
    case = Case(LaneEvidence("float64", ours, Capture({}, {**given, name: port})))
    row = Row(name=name, what=name, run="train", layer=layer)
    departure = Departure(
        stage=stage, lane="float64", place="output", text="", layer=layer, row=row
    )
    return find_hint(case, departure)


def bug_of(hint: Hint | None) -> int | None:
    return hint.bug if hint else None


TIMELINE = [["enter", "conv", 0, ["0"], True], ["exit", "conv", 0, ["0"], True],
            ["enter", "fc", 0, ["0"], True], ["exit", "fc", 0, ["0"], True]]  # fmt: skip


def test_flatten_order_is_seen_in_what_a_linear_is_given() -> None:
    flat = PICTURE.reshape(2, -1)
    moved = PICTURE.transpose(0, 2, 3, 1).reshape(2, -1)
    assert (flattened_channels_last(flat, (3, 4, 5)) == moved).all()
    arrays = {"train/exit/conv#0/0": PICTURE}
    hint = hint_for("train/enter/fc#0/0", flat, moved, "fc", arrays=arrays, timeline=TIMELINE)
    assert bug_of(hint) == 9
    assert hint is not None
    assert hint.text.startswith("fc differs and conv agrees, and permuting C-H-W to H-W-C")


def test_flatten_order_is_seen_in_what_a_linear_returns() -> None:
    flat, weight, bias = PICTURE.reshape(2, -1), RANDOM.normal(size=(7, 60)), RANDOM.normal(size=7)
    moved = PICTURE.transpose(0, 2, 3, 1).reshape(2, -1)
    arrays = {"train/exit/conv#0/0": PICTURE, "train/enter/fc#0/0": flat,
              "weight/fc.weight": weight, "weight/fc.bias": bias}  # fmt: skip
    name, right, wrong = "train/exit/fc#0/0", flat @ weight.T + bias, moved @ weight.T + bias
    assert bug_of(hint_for(name, right, wrong, "fc", arrays=arrays, timeline=TIMELINE)) == 9


def test_height_and_width_and_channels() -> None:
    square = RANDOM.normal(size=(2, 3, 4, 4))
    name = "train/enter/conv#0/0"
    assert bug_of(hint_for(name, square, square.swapaxes(2, 3), "conv")) == 8
    assert bug_of(hint_for(name, PICTURE, PICTURE[:, ::-1], "conv")) == 54


def test_kernel_with_height_and_width_swapped() -> None:
    weight, bias = RANDOM.normal(size=(6, 3, 3, 3)), RANDOM.normal(size=6)
    right, wrong = (convolve(PICTURE, w, bias, SETTINGS) for w in (weight, weight.swapaxes(2, 3)))
    assert right is not None
    assert wrong is not None
    arrays = {"train/enter/conv#0/0": PICTURE, "weight/conv.weight": weight,
              "weight/conv.bias": bias}  # fmt: skip
    name = "train/exit/conv#0/0"
    hint = hint_for(name, right, wrong, "conv", arrays=arrays)
    assert bug_of(hint) == 7
    assert hint is not None
    assert "swapping height and width of its kernel" in hint.text
    assert (
        hint_for(name, right, right + RANDOM.normal(size=right.shape), "conv", arrays=arrays)
        is None
    )


def test_convolution_in_numpy_is_a_correlation() -> None:
    """One output by hand: stride 2 and padding 1 in height, none in width."""
    weight = RANDOM.normal(size=(1, 3, 3, 3))
    found = convolve(PICTURE, weight, np.array([0.5]), SETTINGS)
    assert found is not None
    assert found.shape == (2, 1, 2, 3)
    assert found[1, 0, 1, 2] == pytest.approx((PICTURE[1, :, 1:4, 2:5] * weight[0]).sum() + 0.5)
    assert found[0, 0, 0, 0] == pytest.approx(
        (PICTURE[0, :, :2, :3] * weight[0, :, 1:]).sum() + 0.5
    )


def test_factor_everywhere() -> None:
    name = "train/enter/conv#0/0"
    assert bug_of(hint_for(name, PICTURE, PICTURE * (255 / 256), "conv")) == 54
    assert hint_for(name, PICTURE, PICTURE + 1e-3, "conv") is None
    assert ratio(PICTURE, PICTURE * -3, 1e-9) == pytest.approx(-3)
    assert ratio(PICTURE, PICTURE**2, 1e-9) is None
    assert ratio(np.zeros(3), np.ones(3), 1e-9) is None


@pytest.mark.parametrize(
    ("factor", "bug"), [(0.5, 38), (2.0, 37)], ids=["half the squared error", "a sum"]
)
def test_losses_that_are_a_factor(factor: float, bug: int) -> None:
    loss = np.array(1.7)
    hint = hint_for("train/loss", loss, loss * factor, stage="loss", arrays={"input/0": PICTURE})
    assert bug_of(hint) == bug


def test_cross_entropy_without_smoothing() -> None:
    logits, targets = RANDOM.normal(size=(5, 4)), np.array([0, 3, 2, 2, 1])
    plain = cross_entropy(logits, targets)
    chances = softmax(logits)
    assert plain == pytest.approx(-np.log(chances[np.arange(5), targets]).mean())
    smoothed = 0.9 * plain + 0.1 * -np.log(chances).mean()
    arrays = {"train/output/0": logits, "target/0": targets}
    hint = hint_for("train/loss", np.array(smoothed), np.array(plain), stage="loss", arrays=arrays)
    assert bug_of(hint) == 36


BOUND = 1 / np.sqrt(27)
UNIFORM = RANDOM.uniform(-BOUND, BOUND, 4096)


@pytest.mark.parametrize(
    ("layer", "reference", "port", "bug"),
    [
        ("conv", UNIFORM, RANDOM.normal(0, np.sqrt(1 / 27), 4096), 1),
        ("conv", UNIFORM, RANDOM.uniform(-1, 1, 4096) * np.sqrt(6 / 27), 2),
        ("conv", UNIFORM, np.zeros(4096), 3),
        ("embed", RANDOM.normal(size=4096), RANDOM.normal(size=4096) / 8, 4),
        ("fc", np.full(4, 0.25), np.full(4, 0.01), 6),
        ("conv", UNIFORM, UNIFORM * 1.3, None),
    ],
)
def test_initialisations(
    layer: str, reference: np.ndarray, port: np.ndarray, bug: int | None
) -> None:
    name, tensor = f"init/{layer}.weight", f"{layer}.weight"
    sides = []
    for values in (reference, port):
        statistics = {"count": values.size, "mean": values.mean(), "std": values.std(),
                      "min": values.min(), "max": values.max(), "seeds": 4}  # fmt: skip
        structure = Structure("torch", (ModuleSpec("embed", "torch.nn.Embedding"),)).to_json()
        sides.append(
            Capture({"init": {tensor: statistics}, "structure": structure}, {name: np.sort(values)})
        )
    case = Case(LaneEvidence("float64", *sides))
    row = Row(name=name, what=tensor, tensor=tensor)
    departure = Departure(
        stage="init", lane="float64", place="tensor", text="", layer=layer, row=row
    )
    assert bug_of(find_hint(case, departure)) == bug


def test_same_wants_equal_shapes() -> None:
    assert not same(np.ones((2, 1)), np.ones(2), 1.0)


def rounded(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32).astype(np.float64)


@pytest.mark.parametrize("stage", ["forward", "loss", "gradient"])
def test_cast_to_float32_is_told_by_its_side(stage: str) -> None:
    name = "train/exit/conv#0/0"
    ours = hint_for(name, rounded(PICTURE), PICTURE, "conv", stage)
    theirs = hint_for(name, PICTURE, rounded(PICTURE).astype(np.float32), "conv", stage)
    assert ours is not None
    assert theirs is not None
    assert "every value of the reference is a float32 number" in ours.text
    assert "(.float()) in conv?" in ours.text
    assert "every value of the port is a float32 number" in theirs.text


def test_other_small_errors_and_larger_ones_are_no_casts() -> None:
    name = "train/exit/conv#0/0"
    assert hint_for(name, PICTURE, PICTURE * (1 + 1e-8 * RANDOM.normal(size=PICTURE.shape))) is None
    assert hint_for(name, PICTURE, rounded(PICTURE + 1e-3), "conv") is None
    both = rounded(PICTURE), rounded(PICTURE + 2e-7 * np.sign(PICTURE[::-1]))
    assert hint_for(name, *both, "conv") is None, "float32 on both sides"


def test_weights_are_float32_numbers_without_any_cast() -> None:
    wrong = rounded(PICTURE) * (1 + 1e-7)
    assert hint_for("weight/conv.weight", rounded(PICTURE), wrong, "conv", "weights") is None
