"""The built-in pair with momentum and weight decay, and its optimizer written wrong."""

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
    bug: int
    words: str
    """What the departure's text says."""


BUGS = (
    # The catalogue says step 2, where a parameter shows it; the buffer shows it a step before.
    Expected("decay after momentum", 42, "momentum_buffer of"),
    Expected("Nesterov", 46, "in step 1 departs"),
)
BEFORE_TRAINING = STAGES[: STAGES.index("trajectory")]


def found_as_expected(verdict: Verdict, expected: Expected) -> None:
    departure = verdict.first_departure
    assert departure is not None
    failed = [result.stage for result in verdict.results if result.status == "fail"]
    assert failed[0] == departure.stage == "update"
    assert (departure.layer, departure.place) == ("", "step")
    assert expected.words in departure.text
    assert departure.hint is not None
    assert departure.hint.bug == expected.bug
    shown = render(verdict)
    assert max(map(len, shown.splitlines())) <= WIDTH
    assert f"[porting bug {expected.bug}]" in " ".join(shown.split())


@pytest.mark.slow
@pytest.mark.parametrize("expected", BUGS, ids=lambda e: e.name)
def test_wrong_optimizer_fails_at_the_update(verdict_on: Judge, expected: Expected) -> None:
    together = [each.name for each in BUGS]
    found_as_expected(verdict_on(expected.name, together, BEFORE_TRAINING), expected)
