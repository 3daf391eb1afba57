"""A free run: the step at which it departs, and what is recorded of it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from parity.capture.capture_file import Capture
from parity.evidence import LaneEvidence
from parity.judge import judge
from parity.verdict import StageResult


def result(reference: Capture, port: Capture) -> StageResult:
    verdict = judge([LaneEvidence("float64", reference, port)], ["trajectory"])
    return next(r for r in verdict.results if r.stage == "trajectory")


def test_stale_state_departs_at_its_step(
    network: ModuleType, reference: Capture, edit: Callable[..., Capture]
) -> None:
    def forgets(p: Any, g: Any, kept: Any, rate: float, step: int) -> Any:
        right = network.Network()
        return right.update(p, g, None if step == 7 else kept, rate, step)

    found = result(reference, network.port_capture(reference, network.Faults(update=forgets)))
    assert found.departure is not None
    assert found.departure.text == "losses depart from step 8 on"
    assert found.departure.hint is None, "nothing says that an epoch begins there"


@pytest.mark.parametrize(("first", "bug"), [(6, 52), (7, None)])
def test_state_that_is_stale_at_an_epochs_beginning_is_a_resumes(
    network: ModuleType,
    reference: Capture,
    edit: Callable[..., Capture],
    first: int,
    bug: int | None,
) -> None:
    def forgets(p: Any, g: Any, kept: Any, rate: float, step: int) -> Any:
        return network.Network().update(p, g, None if step == 7 else kept, rate, step)

    sizes = {"1": [8] * first, "2": [8] * (12 - first)}
    ours = edit(reference, {}, sizes=sizes)
    theirs = network.port_capture(reference, network.Faults(update=forgets))
    departure = result(ours, edit(theirs, {}, sizes=sizes)).departure
    assert departure is not None
    assert (departure.hint and departure.hint.bug) == bug


def test_growth_of_the_error_is_shown(reference: Capture, port: Capture) -> None:
    found = result(reference, port)
    assert found.status == "pass"
    assert any(note.startswith("largest error of the parameters") for note in found.notes)


def test_mean_weighted_by_examples_is_a_fault_of_the_record(
    reference: Capture, port: Capture, edit: Callable[..., Capture]
) -> None:
    sizes = [8] * 11 + [3]
    losses = reference.arrays["trajectory/losses"]
    name = "trajectory/record/1/train_loss"
    ours = edit(reference, {name: np.array(losses.mean())}, sizes={"1": sizes})
    theirs = edit(port, {name: np.array(np.average(losses, weights=sizes))}, sizes={"1": sizes})
    found = result(ours, theirs)
    assert found.departure is not None
    assert found.departure.text == (
        "recorded train_loss of epoch 1 departs, while losses and parameters agree"
    )
    assert found.departure.hint is not None
    assert found.departure.hint.bug == 40


def test_wrong_slot_at_a_snapshot_fails(
    reference: Capture, port: Capture, edit: Callable[..., Capture]
) -> None:
    name = "trajectory/12/slot/momentum_buffer/fc1.weight"
    found = result(reference, edit(port, {name: port.arrays[name] * (1 + 1e-8)}))
    assert found.departure is not None
    assert found.departure.layer == "fc1"
