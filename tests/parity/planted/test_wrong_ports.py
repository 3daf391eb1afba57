"""Ten porting bugs, by hand, in the built-in pair: each fails where the catalogue says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from parity.screen import WIDTH, render
from parity.stages.names import STAGES
from parity.verdict import Verdict

Judge = Callable[..., Verdict]


@dataclass(frozen=True)
class Expected:
    """Where a planted bug has to be found."""

    name: str
    stage: str
    layer: str
    place: str
    bug: int
    words: str
    """What the departure's text says."""


QUICK = (
    Expected("flatten order", "forward", "fc1", "between", 9, "between conv3 and fc1"),
    Expected("split ties", "gradient", "conv1", "between", 27, "between conv1 and conv2"),
    Expected("BGR", "data", "", "data", 54, "channels are reversed"),
)
SLOW = (
    Expected("swapped kernel", "forward", "conv2", "output", 7, "conv2: what it returns departs"),
    Expected("lecun init", "init", "conv1", "tensor", 1, "1.74 times the reference's"),
    Expected("softmax twice", "loss", "", "output", 35, "loss of the full batch departs"),
    Expected("nominal batch", "loss", "", "output", 37, "of the short batch departs, and only"),
    # The catalogue says step 2, where a parameter shows it; the buffer shows it a step before.
    Expected("decay after momentum", "update", "", "step", 42, "momentum_buffer of"),
    Expected("Nesterov", "update", "", "step", 46, "in step 1 departs"),
    Expected("last batch dropped", "data", "", "data", 53, "the end of the epoch is missing"),
)
BEFORE_TRAINING = STAGES[: STAGES.index("trajectory")]


def found_as_expected(verdict: Verdict, expected: Expected) -> None:
    departure = verdict.first_departure
    assert departure is not None
    failed = [result.stage for result in verdict.results if result.status == "fail"]
    assert failed[0] == departure.stage == expected.stage
    assert (departure.layer, departure.place) == (expected.layer, expected.place)
    assert expected.words in departure.text
    assert departure.hint is not None
    assert departure.hint.bug == expected.bug
    shown = render(verdict)
    assert max(map(len, shown.splitlines())) <= WIDTH
    assert f"[porting bug {expected.bug}]" in " ".join(shown.split())
    assert ("<<< HERE" in shown) == bool(expected.layer)


@pytest.mark.parametrize("expected", QUICK, ids=lambda e: e.name)
def test_wrong_port_fails_at_its_stage_and_layer(verdict_on: Judge, expected: Expected) -> None:
    together = [each.name for each in QUICK]
    found_as_expected(verdict_on(expected.name, together, BEFORE_TRAINING), expected)


@pytest.mark.slow
@pytest.mark.parametrize("expected", SLOW, ids=lambda e: e.name)
def test_other_wrong_ports_do_too(verdict_on: Judge, expected: Expected) -> None:
    together = [each.name for each in SLOW]
    found_as_expected(verdict_on(expected.name, together, BEFORE_TRAINING), expected)
