"""Numbers and switches that differ are faults; layer settings that differ are suspects."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from parity.capture.capture_file import Capture
from parity.evidence import LaneEvidence
from parity.judge import judge
from parity.verdict import StageResult, Verdict

StageOf = Callable[[Verdict, str], StageResult]


def test_other_learning_rate_is_named(
    reference: Capture, port: Capture, edit: Callable[..., Capture], stage_of: StageOf
) -> None:
    wrong = edit(port, {}, config={"lr": 0.2, "nested": {"batch": 3}})
    result = stage_of(judge([LaneEvidence("float64", reference, wrong)]), "config")
    assert result.departure is not None
    assert "config.lr: reference 0.1, found 0.2" in result.departure.text
    assert "config.nested.batch: reference nothing, found 3" in result.departure.text


def test_float32_in_the_proof_lane_is_seen(
    reference: Capture, port: Capture, edit: Callable[..., Capture], stage_of: StageOf
) -> None:
    name = "gradient/fc1.bias"
    wrong = edit(port, {name: port.arrays[name].astype(np.float32)})
    result = stage_of(judge([LaneEvidence("float64", reference, wrong)]), "config")
    assert result.departure is not None
    assert name in result.departure.text
    assert result.departure.hint is not None
    assert result.departure.hint.bug == 56


@pytest.mark.parametrize(
    ("side", "switches"),
    [("port", {"jax_default_matmul_precision": "default"}), ("port", {}),
     ("reference", {"cudnn.conv.fp32_precision": "tf32", "cuda.matmul.fp32_precision": "ieee"})],
)  # fmt: skip
def test_tf32_on_one_side_is_seen(
    network: ModuleType,
    reference: Capture,
    edit: Callable[..., Capture],
    stage_of: StageOf,
    side: str,
    switches: dict[str, str],
) -> None:
    sides = dict(zip(("reference", "port"), network.float32_captures(reference), strict=True))
    sides[side] = edit(sides[side], {}, precision=switches)
    evidence = LaneEvidence("float32", sides["reference"], sides["port"], reference)
    result = stage_of(judge([evidence]), "config")
    assert result.departure is not None
    assert result.departure.hint is not None
    assert result.departure.hint.bug == 57


def test_model_that_sets_tf32_for_itself_is_seen_in_the_proof_lane(
    reference: Capture, port: Capture, edit: Callable[..., Capture], stage_of: StageOf
) -> None:
    switches = {**port.about["precision"], "jax_default_matmul_precision": "tensorfloat32"}
    wrong = edit(port, {}, precision=switches)
    result = stage_of(judge([LaneEvidence("float64", reference, wrong)]), "config")
    assert result.departure is not None
    assert result.departure.hint is not None
    assert result.departure.hint.bug == 57


def test_failed_self_check_fails_before_everything(
    reference: Capture, port: Capture, edit: Callable[..., Capture]
) -> None:
    checks = {"memory": {"passed": False, "detail": "conv.weight shares memory"}}
    verdict = judge([LaneEvidence("float64", reference, edit(port, {}, checks=checks))])
    assert not verdict.passed
    assert verdict.first_departure is not None
    assert verdict.first_departure.stage == "self-checks"
    assert "conv.weight shares memory" in verdict.first_departure.text


def structures(reference: Capture, ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """The structure with fc1's settings on either side."""
    found = {}
    for side, settings, kind in (("reference", ours, ""), ("port", theirs, "flax.nnx.BatchNorm")):
        data = json.loads(reference.about["structure"])
        layer = next(m for m in data["modules"] if m["path"] == "fc1")
        layer["settings"], layer["kind"] = settings, kind or layer["kind"]
        found[side] = json.dumps(data)
    return found


@pytest.mark.parametrize(
    ("ours", "theirs", "differs"),
    [
        ({"eps": 1e-5}, {"epsilon": 1e-3}, ["eps"]),
        ({"eps": 1e-5}, {"epsilon": 1e-5}, []),
        ({"momentum": 0.1}, {"momentum": 0.9}, []),
        ({"momentum": 0.1}, {"momentum": 0.99}, ["momentum"]),
        ({"stride": [2, 2]}, {"strides": 2}, []),
        ({"padding": [0, 0]}, {"padding": "VALID"}, []),
        ({"padding": [1, 1]}, {"padding": [[1, 1], [1, 1]]}, []),
        ({"padding": [1, 1], "groups": 2}, {"padding": "SAME", "feature_group_count": 1},
         ["padding", "groups"]),
        ({"approximate": "none"}, {"approximate": True}, ["approximate"]),
    ],
)  # fmt: skip
def test_settings_are_compared_whatever_their_spelling(
    reference: Capture,
    port: Capture,
    edit: Callable[..., Capture],
    ours: dict[str, Any],
    theirs: dict[str, Any],
    differs: list[str],
) -> None:
    found = structures(reference, ours, theirs)
    sides = (
        edit(reference, {}, structure=found["reference"]),
        edit(port, {}, structure=found["port"]),
    )
    verdict = judge([LaneEvidence("float64", *sides)])
    assert verdict.passed
    assert [suspect.setting for suspect in verdict.suspects] == differs


def test_suspect_is_the_hint_where_its_layer_departs(
    network: ModuleType, reference: Capture, edit: Callable[..., Capture]
) -> None:
    found = structures(reference, {"eps": 1e-5}, {"epsilon": 1e-3})
    wrong = network.port_capture(reference, network.Faults(inside={"fc1": lambda x: x + 1e-3}))
    sides = (
        edit(reference, {}, structure=found["reference"]),
        edit(wrong, {}, structure=found["port"]),
    )
    departure = judge([LaneEvidence("float64", *sides)]).first_departure
    assert departure is not None
    assert departure.layer == "fc1"
    assert departure.hint is not None
    assert "eps: 1e-05 in the reference, 0.001 in the port" in departure.hint.text
