"""Optimizers that follow another rule are found, with the step, the tensor and the rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from parity.capture.capture_file import Capture
from parity.evidence import LaneEvidence
from parity.judge import judge
from parity.verdict import StageResult, Verdict

Judge = Callable[..., Verdict]
MOMENTUM, DECAY = 0.9, 0.01
Step = tuple[np.ndarray, np.ndarray]


def without_decay(p: Any, g: Any, kept: Any, rate: float, step: int) -> Step:
    kept = g if kept is None else MOMENTUM * kept + g
    return p - rate * kept, kept


def decay_after(p: Any, g: Any, kept: Any, rate: float, step: int) -> Step:
    kept = g if kept is None else MOMENTUM * kept + g
    return p - rate * (kept + DECAY * p), kept


def decay_unscaled(p: Any, g: Any, kept: Any, rate: float, step: int) -> Step:
    kept = g if kept is None else MOMENTUM * kept + g
    return p - rate * kept - DECAY * p, kept


def nesterov(p: Any, g: Any, kept: Any, rate: float, step: int) -> Step:
    g = g + DECAY * p
    kept = g if kept is None else MOMENTUM * kept + g
    return p - rate * (g + MOMENTUM * kept), kept


def average(p: Any, g: Any, kept: Any, rate: float, step: int) -> Step:
    g = g + DECAY * p
    kept = (1 - MOMENTUM) * g if kept is None else MOMENTUM * kept + (1 - MOMENTUM) * g
    return p - rate * kept, kept


def late_rate(p: Any, g: Any, kept: Any, rate: float, step: int) -> Step:
    g = g + DECAY * p
    kept = g if kept is None else MOMENTUM * kept + g
    return p - (0.1 if step == 4 else rate) * kept, kept


def rate_inside(p: Any, g: Any, kept: Any, rate: float, step: int) -> Step:
    g = g + DECAY * p
    kept = rate * g if kept is None else MOMENTUM * kept + rate * g
    return p - kept, kept


@pytest.mark.parametrize(
    ("rule", "bug"),
    [(without_decay, 41), (decay_after, 42), (decay_unscaled, 43), (nesterov, 46), (average, 46),
     (late_rate, 45), (rate_inside, 44)],
)  # fmt: skip
def test_other_rule_is_recognised(verdict_on: Judge, rule: Callable, bug: int) -> None:
    departure = verdict_on(update=rule).first_departure
    assert departure is not None
    assert departure.stage == "update"
    assert departure.hint is not None
    assert departure.hint.bug == bug


def test_wrong_rate_departs_at_the_first_step_with_another_rate(verdict_on: Judge) -> None:
    departure = verdict_on(update=late_rate).first_departure
    assert departure is not None
    assert departure.row is not None
    assert departure.row.run == "4"
    assert "the first with another learning rate" in departure.text


def test_steps_after_wrong_gradients_are_inherited(
    verdict_on: Judge, stage_of: Callable[[Verdict, str], StageResult]
) -> None:
    result = stage_of(verdict_on(inside={"fc1": lambda x: x * 1.01}), "update")
    assert result.status == "pass"
    assert any("inherited" in note for note in result.notes)


def test_missing_slot_fails(
    reference: Capture, port: Capture, edit: Callable[..., Capture]
) -> None:
    name = "update/2/slot/momentum_buffer/fc1.bias"
    verdict = judge([LaneEvidence("float64", reference, edit(port, {name: None}))])
    assert not verdict.passed
    assert verdict.first_departure is not None
    assert "momentum_buffer of fc1.bias after step 2" in verdict.first_departure.text
