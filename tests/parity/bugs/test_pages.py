"""The scorecard's file, the page of all bugs, and the score on other pages."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from parity.bugs.catalogue import bugs, not_planted
from parity.bugs.page import page
from parity.bugs.scorecard import (
    Line,
    Scorecard,
    ScorecardError,
    read_scorecard,
    write_scorecard,
)
from parity.bugs.screen import listing, render, score_table
from parity.bugs.sensitivity import Knob, Limits, SensitivityError, limit, read_limits, table
from parity.verdict import StageResult, Verdict

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/porting-bugs.md"
CARD = ROOT / "docs/results/porting-bugs.json"
LIMITS = ROOT / "docs/results/porting-bugs-sensitivity.json"

LINE = Line(
    row=9, name="flatten-order", subject="cifar10_cnn", detected=True, stage="forward",
    at_stage=True, layer="fc1", at_layer=True, layer_expected=True, hint=9, hint_right=True,
    text="between conv3 and fc1", hint_text="flatten order", error=0.71, missed=(),
)  # fmt: skip

MISSED = dataclasses.replace(
    LINE, row=8, name="picture-axes-swapped", at_stage=False, stage="loss",
    missed=("stage loss, expected forward",),
)  # fmt: skip


def card(*lines: Line, ports: dict[str, str] | None = None) -> Scorecard:
    where = {"versions": {"jax": "1"}, "device": "cpu"}
    return Scorecard(1, "2026-01-02T03:04:05", 12.3, where, ports or {"cifar10_cnn": ""}, lines)


def test_scorecard_survives_its_file(tmp_path: Path) -> None:
    write_scorecard(tmp_path / "card.json", card(LINE, MISSED))
    assert read_scorecard(tmp_path / "card.json") == card(LINE, MISSED)


@pytest.mark.parametrize("text", ["", "{}", '{"schema": 99, "lines": []}', "[1]"])
def test_file_that_is_no_scorecard_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(ScorecardError, match=re.escape(str(tmp_path / "card.json"))):
        read_scorecard(tmp_path / "card.json")


def test_perfect_means_nothing_missed_and_no_right_port_failed() -> None:
    assert card(LINE).perfect
    assert not card(LINE, MISSED).perfect
    assert not card(LINE, ports={"cifar10_cnn": "conv1 departs"}).perfect


def test_screen_shows_misses_and_the_score() -> None:
    shown = render(card(LINE, MISSED))
    assert "flatten-order" in shown
    assert "MISSED" in shown
    assert "stage loss, expected forward" in shown
    assert "at the right stage: 1 of 2" in shown
    assert "right port of cifar10_cnn: passes" in shown


def test_score_table_says_where_it_was_measured() -> None:
    text = score_table(card(LINE))
    assert "| detected | 1 of 1 |" in text
    assert "2026-01-02" in text
    assert "jax 1" in text


def test_listing_has_every_bug_and_every_reason() -> None:
    text = listing(bugs(), not_planted())
    assert len(text.splitlines()) == len(bugs()) + len(not_planted())


def test_page_shows_wrong_and_right_code() -> None:
    text = page(card(LINE), bugs(), not_planted(), "results/porting-bugs.json")
    wrong, right = text.index("def flatten_hwc"), text.index("def flatten_chw")
    assert wrong < right
    assert "**forward**, at `fc1`, with an error of 0.71" in text


def test_committed_page_is_what_the_committed_measurement_says() -> None:
    found = read_scorecard(CARD)
    expected = page(
        found,
        bugs(),
        not_planted(),
        "results/porting-bugs.json",
        table(read_limits(LIMITS)),
    )
    assert PAGE.read_text() == expected
    assert {line.name for line in found.lines} == {bug.name for bug in bugs()}
    assert found.perfect


@pytest.mark.parametrize("name", ["README.md", "docs/results.md"])
def test_score_stands_on_the_pages(name: str) -> None:
    assert score_table(read_scorecard(CARD)) in (ROOT / name).read_text()


def _failing_at(*stages: str) -> Verdict:
    results = tuple(
        StageResult(stage=s, lane="float64", status="fail" if s in stages else "pass", summary="s")
        for s in ("config", "data", "weights", "init", "forward", "loss", "gradient", "update",
                  "state", "eval", "trajectory", "envelope")
    )  # fmt: skip
    return Verdict(pair="p", seed=0, nonce="", date="", lanes=("float64",), results=results)


def test_limit_is_the_smallest_size_with_no_gap_above() -> None:
    knob = Knob("rate", "mlp", "optimizer", "scaled")
    found = limit(knob, {
        1e-2: _failing_at("forward", "update"), 1e-4: _failing_at("update"),
        1e-6: _failing_at("forward"),
    })  # fmt: skip
    assert found.stages == {"forward": 1e-2, "update": 1e-4}
    assert knob.port(1e-8) == "optimizer=scaled:1e-08"


def test_limits_table_has_a_column_for_each_stage_that_sees_any() -> None:
    knob = Knob("rate", "mlp", "optimizer", "scaled")
    one = limit(knob, {1e-2: _failing_at("update")})
    text = table(Limits(1, "2026-01-01", {}, (1e-2,), (one,)))
    assert "| relative change of | update |" in text
    assert "| rate | 1e-02 |" in text


def test_file_that_holds_no_limits_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "limits.json").write_text("{}")
    with pytest.raises(SensitivityError, match="no detection limits"):
        read_limits(tmp_path / "limits.json")
