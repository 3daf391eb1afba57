"""What counts as found."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from parity.bugs.bug import Bug
from parity.bugs.catalogue import choose
from parity.bugs.files import Refusal
from parity.bugs.score import Finding
from parity.verdict import Departure, Hint, Row, StageResult, Verdict

(BUG,) = choose(["flatten-order"])


def verdict(stage: str = "forward", layer: str = "fc1", bug: int | None = 9) -> Verdict:
    """One that fails there."""
    departure = Departure(
        stage=stage,
        lane="float64",
        place="between",
        text=f"between conv3 and {layer}: departs",
        layer=layer,
        row=Row(name="x", what="x", error=0.7),
        hint=Hint(bug=bug, text="flatten order") if bug else None,
    )
    result = StageResult(stage=stage, lane="float64", status="fail", summary="departs",
                         departure=departure)  # fmt: skip
    return passing(results=(result,))


def passing(**changes: Any) -> Verdict:
    """One without failures, or with other results."""
    whole: dict[str, Any] = {"pair": "p", "seed": 0, "nonce": "", "date": "2026-01-01",
                             "lanes": ("float64",), "results": ()}  # fmt: skip
    return Verdict(**{**whole, **changes})


def test_bug_at_its_stage_and_layer_with_its_hint_is_found() -> None:
    assert Finding(BUG, verdict(), None).missed == ()


@pytest.mark.parametrize(
    ("found", "missed"),
    [
        (passing(), ("not detected", "stage none", "layer none", "hint none")),
        (verdict(stage="gradient"), ("stage gradient, expected forward",)),
        (verdict(layer="fc2"), ("layer fc2, expected fc1",)),
        (verdict(bug=8), ("hint 8, expected 9",)),
        (verdict(bug=None), ("hint none, expected 9",)),
    ],
)
def test_everything_that_is_not_as_expected_is_a_miss(
    found: Verdict, missed: tuple[str, ...]
) -> None:
    said = Finding(BUG, found, None).missed
    assert len(said) == len(missed)
    assert all(one.startswith(two) for one, two in zip(said, missed, strict=True))


def test_words_must_be_said() -> None:
    bug = dataclasses.replace(BUG, words="short batch")
    assert Finding(bug, verdict(), None).missed == ("layer fc1, expected fc1 with 'short batch'",)


def test_no_hint_is_asked_for_where_no_pattern_can_tell() -> None:
    bug = dataclasses.replace(BUG, hinted=False)
    assert Finding(bug, verdict(bug=None), None).missed == ()
    assert Finding(bug, verdict(bug=None), None).hint_right is None


def test_refusal_by_the_bridge_is_the_stage_weights() -> None:
    bug = dataclasses.replace(BUG, stage="weights", layer="conv2", hinted=False)
    refusal = Refusal("no counterpart: conv2.bias", "weights")
    assert Finding(bug, None, refusal).missed == ()
    assert Finding(bug, None, Refusal("no counterpart: fc1.bias", "weights")).missed


def test_other_refusals_are_misses() -> None:
    found = Finding(BUG, None, Refusal("port failed: TypeError", ""))
    assert found.stage == "refused"
    assert "stage refused, expected forward" in found.missed


def test_hint_of_another_row_can_be_expected() -> None:
    bug: Bug = dataclasses.replace(BUG, hint=12)
    assert bug.expected_hint == 12
