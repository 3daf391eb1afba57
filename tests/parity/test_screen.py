"""What a verdict looks like on a plain screen, and in a document."""

from __future__ import annotations

import dataclasses

import pytest

from parity.screen import WIDTH, markdown, render
from parity.verdict import Departure, Hint, Layer, Row, StageResult, Suspect, Verdict

ROW = Row(
    name="train/exit/stage.bn#0/0", what="output of stage.bn, train", layer="stage.bn",
    shape=(8, 4, 3), needed=1.7e-3, limit=1e-10, worst=(5, 0, 2), reference_value=0.25,
    port_value=0.26, status="departs",
)  # fmt: skip
SUSPECT = Suspect(
    layer="stage.bn", port_layer="stage/norm", setting="eps", reference_value="1e-05",
    port_value="0.001", bug=17,
)  # fmt: skip


def result(stage: str, lane: str, status: str, summary: str = "all of it") -> StageResult:
    return StageResult(stage=stage, lane=lane, status=status, summary=summary,  # type: ignore[arg-type]
                       tolerance=1e-10, needed=3e-16)  # fmt: skip


@pytest.fixture
def failed() -> Verdict:
    departure = Departure(
        stage="forward", lane="float64", place="output", layer="stage.bn", port_layer="stage/norm",
        text="stage.bn: what it returns departs", row=ROW, introduced=1.7e-3, also=("head",),
        hint=Hint(bug=17, text="its settings differ"), suspects=(SUSPECT,),
    )  # fmt: skip
    forward = dataclasses.replace(
        result("forward", "float64", "fail", "stage.bn: " + "far too long " * 20),
        departure=departure,
    )
    return Verdict(
        pair="net", seed=3, nonce="n", date="2026-01-01", lanes=("float64", "float32"),
        results=(result("config", "float64", "pass"), forward,
                 result("loss", "float32", "skipped")),
        layers=(Layer(path="stage", kind="torch.nn.Sequential", port_path=""),
                Layer(path="stage.conv", kind="torch.nn.Conv2d", port_path="stage/conv"),
                Layer(path="stage.bn", kind="torch.nn.BatchNorm2d", port_path="stage/norm"),
                Layer(path="other", kind="torch.nn.Sequential", port_path=""),
                Layer(path="other.conv", kind="torch.nn.Conv2d", port_path="other/conv")),
        waivers=("fc.bias: dropped on purpose",), skips=("loss, float32: no loss",),
        promoted=("stage/norm: statistics",), notes=("a note",),
    )  # fmt: skip


def test_culprit_is_marked_in_the_tree_and_only_it(failed: Verdict) -> None:
    lines = render(failed).splitlines()
    marked = [line for line in lines if "HERE" in line]
    assert len(marked) == 1
    assert "bn (BatchNorm2d)  = stage/norm" in marked[0]
    assert any(line.strip().startswith("other (") for line in lines)
    assert not any("other/conv" in line for line in lines)


def test_numbers_index_and_both_values_are_shown(failed: Verdict) -> None:
    text = render(failed)
    assert "needed 1.7e-03, allowed 1.0e-10" in text
    assert "worst at [5, 0, 2] of [8, 4, 3]: reference 0.25, port 0.26" in text
    assert "introduced by stage.bn alone, given the oracle's numbers: 1.7e-03" in text
    assert "departing by themselves, too: head" in text


def test_hint_and_suspect_are_shown(failed: Verdict) -> None:
    text = render(failed)
    assert "hint: its settings differ [porting bug 17]" in text
    assert "suspect: stage.bn: eps: 1e-05 in the reference, 0.001 in the port" in text


def test_waivers_skips_promotions_and_notes_are_always_shown(failed: Verdict) -> None:
    passed = dataclasses.replace(failed, results=(result("config", "float64", "pass"),))
    for verdict in (failed, passed):
        text = render(verdict)
        for line in ("fc.bias: dropped on purpose", "loss, float32: no loss",
                     "stage/norm: statistics", "a note"):  # fmt: skip
            assert line in text


def test_it_fits_a_screen_of_a_hundred_columns(failed: Verdict) -> None:
    assert max(map(len, render(failed).splitlines())) <= WIDTH


def test_last_line_says_how_it_ended(failed: Verdict) -> None:
    assert render(failed).splitlines()[-1] == "FAIL: forward"
    results = (result("config", "float64", "pass"), result("data", "float64", "skipped"))
    passed = dataclasses.replace(failed, results=results)
    assert render(passed).splitlines()[-1] == "PASS: 1 passed, 1 skipped"


def test_markdown_has_a_line_a_stage_and_columns_a_lane(failed: Verdict) -> None:
    lines = markdown(failed).splitlines()
    assert lines[0].startswith("| stage | float64: verdict | float64: needed | float32: verdict")
    assert lines[2] == "| config | pass | 3.0e-16 |  |  |"
    assert lines[3].startswith("| forward | FAIL |")
