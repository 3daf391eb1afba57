"""Every tensor crosses bit by bit, and nothing is left over without a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from parity.capture.capture_file import Capture
from parity.evidence import LaneEvidence
from parity.judge import judge
from parity.verdict import StageResult

NAME = "weight/fc1.bias"


@pytest.fixture
def weights(
    reference: Capture, port: Capture, edit: Callable[..., Capture]
) -> Callable[..., StageResult]:
    """The stage's result for a port whose capture is changed."""

    def result(arrays: dict[str, Any] | None = None, **about: Any) -> StageResult:
        wrong = edit(port, arrays or {}, **about)
        verdict = judge([LaneEvidence("float64", reference, wrong)], ["weights"])
        return next(r for r in verdict.results if r.stage == "weights")

    return result


def test_one_bit_in_one_weight_fails(weights: Callable[..., StageResult], port: Capture) -> None:
    moved = port.arrays[NAME].copy()
    moved[3] = np.nextafter(moved[3], np.inf)
    result = weights({NAME: moved})
    assert result.status == "fail"
    assert result.departure is not None
    assert result.departure.layer == "fc1"


def test_missing_and_surplus_tensors_fail(weights: Callable[..., StageResult]) -> None:
    assert weights({NAME: None}).status == "fail"
    surplus = weights({"weight/extra.scale": np.ones(3)})
    assert surplus.status == "fail"
    assert surplus.departure is not None
    assert "extra.scale" in surplus.departure.text


def test_lossy_layers_are_noted_and_not_compared_bit_by_bit(
    weights: Callable[..., StageResult], port: Capture
) -> None:
    result = weights({NAME: port.arrays[NAME] + 1e-9}, lossy={"fc1": "two biases become one"})
    assert result.status == "pass"
    assert "lossy: fc1: two biases become one" in result.notes


def test_waived_tensor_makes_the_stage_waived_and_is_printed(
    weights: Callable[..., StageResult],
) -> None:
    waiver = {"name": "fc1.bias", "reason": "dropped before a batch norm"}
    result = weights({NAME: None}, waivers=[waiver])
    assert result.status == "waived"
    assert result.waivers == ("fc1.bias: dropped before a batch norm",)


def test_slot_without_counterpart_fails_until_it_is_waived_by_name(
    weights: Callable[..., StageResult],
) -> None:
    loose = ["the port's slot ema has no counterpart"]
    assert weights(loose_slots=loose).status == "fail"
    waiver = {"name": "slot:ema", "reason": "for evaluation only"}
    assert weights(loose_slots=loose, waivers=[waiver]).status == "waived"
    other = {"name": "slot:em", "reason": "another name"}
    assert weights(loose_slots=loose, waivers=[other]).status == "fail"
