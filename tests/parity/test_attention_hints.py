"""Patterns of attention in another convention, and of dropout that is on when it should be off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from parity.bridge.structure import ModuleSpec, Structure
from parity.capture.capture_file import Capture
from parity.evidence import LaneEvidence
from parity.hints import find_hint
from parity.hints.attention import Attention
from parity.stages.case import Case
from parity.verdict import Departure, Row

RANDOM = np.random.default_rng(8)
X = RANDOM.normal(size=(3, 5, 8))
PADDING = np.arange(5) >= np.array([2, 4, 3])[:, None]
WEIGHTS = {
    "weight/attention.in_proj_weight": RANDOM.normal(size=(24, 8)),
    "weight/attention.in_proj_bias": RANDOM.normal(size=24),
    "weight/attention.out_proj.weight": RANDOM.normal(size=(8, 8)),
    "weight/attention.out_proj.bias": RANDOM.normal(size=8),
}
IN_WEIGHT, IN_BIAS, OUT_WEIGHT, OUT_BIAS = WEIGHTS.values()
PLAIN = Attention(
    query=X, key=X, value=X, padding=PADDING, heads=2,
    weight=IN_WEIGHT, bias=IN_BIAS, out_weight=OUT_WEIGHT, out_bias=OUT_BIAS,
)  # fmt: skip


def hinted(
    layer: str, port: np.ndarray, reference: np.ndarray, run: str = "eval"
) -> tuple[int, str]:
    """The hint for a layer that returns something else; 0 for none."""
    settings = {"num_heads": 2, "batch_first": True}
    modules = (
        ModuleSpec("attention", "torch.nn.MultiheadAttention", settings=settings),
        ModuleSpec("dropout", "torch.nn.Dropout"),
    )
    about = {"structure": Structure("torch", modules).to_json(), "lane": "float64"}
    given = {**WEIGHTS, f"{run}/enter/attention#0/key_padding_mask": PADDING}
    given |= {f"{run}/enter/attention#0/{leaf}": X for leaf in "012"}
    name = f"{run}/exit/{layer}#0/0"
    ours = Capture(about, {**given, name: reference})
    case = Case(LaneEvidence("float64", ours, Capture({}, {**given, name: port})))
    row = Row(name=name, what="", run=run, layer=layer)
    departure = Departure(
        stage="forward", lane="float64", place="output", text="", layer=layer, row=row
    )
    hint = find_hint(case, departure)
    return (hint.bug, hint.text) if hint else (0, "")


def test_it_is_what_pytorch_computes() -> None:
    layer = torch.nn.MultiheadAttention(8, 2, batch_first=True, dtype=torch.float64)
    names = {name.removeprefix("weight/attention."): array for name, array in WEIGHTS.items()}
    layer.load_state_dict({name: torch.tensor(array) for name, array in names.items()})
    x = torch.tensor(X)
    expected, _ = layer(x, x, x, key_padding_mask=torch.tensor(PADDING))
    np.testing.assert_allclose(PLAIN.output(), expected.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    ("port", "bug", "words"),
    [
        (replace(PLAIN, order=(1, 0, 2)), 33, "takes the packed in_proj for key, query, value"),
        (replace(PLAIN, order=(1, 2, 0)), 33, "takes the packed in_proj for value, query, key"),
        (replace(PLAIN, within_heads=True), 33, "query, key and value of each head together"),
        (replace(PLAIN, scale=8**0.5), 34, "the square root of all features"),
        (replace(PLAIN, scale=1.0), 34, "divides the scores by nothing"),
        (replace(PLAIN, padding=~PADDING), 34, "attends where the mask is True"),
        (replace(PLAIN, padding=None), 34, "does not apply the mask"),
    ],
)
def test_attention_in_another_convention(port: Attention, bug: int, words: str) -> None:
    found, text = hinted("attention", port.output(), PLAIN.output())
    assert found == bug
    assert words in text


def test_attention_that_departs_otherwise_fits_no_pattern() -> None:
    assert hinted("attention", PLAIN.output() + 0.1, PLAIN.output()) == (0, "")


def test_dropout_in_eval_mode() -> None:
    dropped = np.where(RANDOM.random(X.shape) < 0.25, 0, X / 0.75)
    bug, text = hinted("dropout", dropped, X)
    assert bug == 59
    assert "dropout is still on" in text
    assert hinted("dropout", X, dropped, run="train") == (0, "")


def test_one_mask_for_all_steps() -> None:
    case = Case(LaneEvidence("float64", Capture({"lane": "float64"}, {}), Capture({}, {})))
    text = "port: dropout: the same mask in two calls; its random numbers do not go on"
    departure = Departure(stage="self-checks", lane="float64", place="check", text=text)
    hint = find_hint(case, departure)
    assert hint is not None
    assert hint.bug == 59
