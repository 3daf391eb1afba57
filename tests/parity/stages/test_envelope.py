"""In float32 a right port stays inside the spread of the reference's own runs."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest

from parity.capture.capture_file import Capture
from parity.evidence import LaneEvidence
from parity.judge import judge
from parity.verdict import StageResult, Verdict

StageOf = Callable[[Verdict, str], StageResult]


@pytest.mark.parametrize("seed", range(8))
def test_right_port_passes_every_stage_of_the_budget_lane(network: ModuleType, seed: int) -> None:
    oracle = network.reference_capture(seed)
    ours, theirs = network.float32_captures(oracle)
    verdict = judge([LaneEvidence("float32", ours, theirs, oracle)])
    assert verdict.passed, verdict.first_departure


def test_run_outside_the_spread_fails(
    network: ModuleType, reference: Capture, edit: Callable[..., Capture], stage_of: StageOf
) -> None:
    ours, theirs = network.float32_captures(reference)
    name = "trajectory/losses"
    wrong = edit(theirs, {name: theirs.arrays[name] * np.float32(1.05)})
    result = stage_of(judge([LaneEvidence("float32", ours, wrong, reference)]), "envelope")
    assert result.status == "fail"
    assert result.needed is not None
    assert result.needed > 16


def test_without_noise_runs_it_is_skipped(
    network: ModuleType, reference: Capture, stage_of: StageOf
) -> None:
    ours, theirs = network.float32_captures(reference, noise_runs=0)
    verdict = judge([LaneEvidence("float32", ours, theirs, reference)])
    assert stage_of(verdict, "envelope").status == "skipped"


def test_fault_of_a_thousandth_exceeds_the_budget(network: ModuleType, reference: Capture) -> None:
    faults = network.Faults(inside={"fc1": lambda x: x * np.float32(1.001)})
    ours, theirs = network.float32_captures(reference, faults)
    departure = judge([LaneEvidence("float32", ours, theirs, reference)]).first_departure
    assert departure is not None
    assert (departure.stage, departure.layer) == ("forward", "fc1")
