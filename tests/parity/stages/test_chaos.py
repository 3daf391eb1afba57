"""A free run is judged as far as the reference does not depart from itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from parity.capture.capture_file import Capture
from parity.evidence import LaneEvidence
from parity.judge import judge
from parity.verdict import StageResult

Edit = Callable[..., Capture]


def judged(reference: Capture, port: Capture) -> StageResult:
    verdict = judge([LaneEvidence("float64", reference, port)], ["trajectory"])
    return next(r for r in verdict.results if r.stage == "trajectory")


def moved(capture: Capture, losses: float, parameters: float) -> dict[str, Any]:
    """The trajectory with everything after step 6 off by these shares of its scale."""
    found = {}
    for name in capture.names("trajectory"):
        array = capture.arrays[name].copy()
        if name == "trajectory/losses":
            array[6:] += losses * np.abs(array).max()
        else:
            array = array * (1 + parameters)
        found[name] = array
    return found


@pytest.fixture
def pair_of(reference: Capture, port: Capture, edit: Edit) -> Callable[..., Any]:
    """(the reference's own divergence, the port's error) -> both captures."""

    def build(own: float, error: float) -> tuple[Capture, Capture]:
        noise = {f"noise/0/{n}": a for n, a in moved(reference, own, own).items()}
        return edit(reference, noise, noise_runs=1), edit(port, moved(port, error, error))

    return build


@pytest.mark.parametrize(
    ("own", "error", "status"),
    [(1e-12, 5e-11, "pass"), (1e-12, 5e-10, "fail"), (1e-9, 5e-9, "pass"), (1e-9, 5e-8, "fail")],
)
def test_allowed_is_sixteen_times_the_references_own_divergence(
    pair_of: Callable[..., Any], own: float, error: float, status: str
) -> None:
    found = judged(*pair_of(own, error))
    assert found.status == status
    assert found.tolerance == pytest.approx(max(1e-10, 16 * own), rel=0.1)
    assert found.needed == pytest.approx(error, rel=0.1)


def test_chaotic_training_is_skipped_with_its_step_and_never_passes(
    pair_of: Callable[..., Any],
) -> None:
    found = judged(*pair_of(1e-3, 1e-3))
    assert found.status == "skipped"
    assert "the training is chaotic from step 7 on" in found.summary
    assert "lower the learning rate or take larger batches" in found.summary


def test_departure_before_the_chaos_fails(pair_of: Callable[..., Any], edit: Edit) -> None:
    reference, port = pair_of(1e-3, 1e-3)
    losses = port.arrays["trajectory/losses"].copy()
    losses[2] += 1e-6
    found = judged(reference, edit(port, {"trajectory/losses": losses}))
    assert found.departure is not None
    assert found.departure.text == "losses depart from step 3 on"


def test_missing_snapshot_is_not_excused_by_chaos(pair_of: Callable[..., Any], edit: Edit) -> None:
    reference, port = pair_of(1e-3, 1e-3)
    name = "trajectory/12/parameter/fc1.weight"
    assert judged(reference, edit(port, {name: None})).status == "fail"
