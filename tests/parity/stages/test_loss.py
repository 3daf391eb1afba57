"""A loss that is wrong is told from right losses of wrong outputs."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np

from parity.capture.capture_file import Capture
from parity.evidence import LaneEvidence
from parity.judge import judge
from parity.verdict import StageResult, Verdict

Judge = Callable[..., Verdict]
StageOf = Callable[[Verdict, str], StageResult]


def test_softmax_twice_is_the_losses_fault(verdict_on: Judge, network: ModuleType) -> None:
    def twice(logits: np.ndarray, targets: np.ndarray, full: int) -> float:
        powers = np.exp(logits)
        return network.cross_entropy(powers / powers.sum(1, keepdims=True), targets)

    departure = verdict_on(loss=twice).first_departure
    assert departure is not None
    assert departure.stage == "loss"
    assert departure.hint is not None
    assert departure.hint.bug == 35


def test_mean_over_the_nominal_batch_shows_in_the_short_batch_only(
    verdict_on: Judge, network: ModuleType
) -> None:
    def nominal(logits: np.ndarray, targets: np.ndarray, full: int) -> float:
        return network.cross_entropy(logits, targets) * len(targets) / full

    departure = verdict_on(loss=nominal).first_departure
    assert departure is not None
    assert departure.stage == "loss"
    assert "short batch departs, and only of it" in departure.text
    assert departure.hint is not None
    assert departure.hint.bug == 37


def test_right_loss_of_wrong_outputs_is_inherited(verdict_on: Judge, stage_of: StageOf) -> None:
    result = stage_of(verdict_on(inside={"fc2": lambda x: x + np.array([1.0, 0, 0])}), "loss")
    assert result.status == "pass"
    assert any("inherited" in note for note in result.notes)
    assert {row.status for row in result.rows} == {"agrees", "inherited"}


def test_pair_without_loss_is_skipped_with_the_reason(
    reference: Capture, port: Capture, edit: Callable[..., Capture], stage_of: StageOf
) -> None:
    without = edit(reference, {}, loss=False)
    result = stage_of(judge([LaneEvidence("float64", without, port)]), "loss")
    assert result.status == "skipped"
    assert "no loss" in result.summary
