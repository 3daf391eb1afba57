"""Stage eval: outputs in eval mode after the update steps."""

from __future__ import annotations

from parity.buffers import ruled_layers
from parity.grouping import listed
from parity.stages.case import Case, departing, with_status
from parity.stages.state import judge as judge_state
from parity.stages.update import gradients_depart
from parity.steps import measure_changes, update_steps
from parity.verdict import Departure, Row, StageResult


def judge(case: Case) -> StageResult:
    """End to end; with the oracle's parameters and buffers alone where these depart already."""
    if not case.names("after/eval/output"):
        return case.skipped("eval", "the reference's capture holds no outputs after the steps")
    rows = [*_rows(case, "after"), *_rows(case, "forced/after")]
    notes = []
    if departing(rows) and (why := _excuse(case)):
        own = [row for row in rows if row.name.startswith("forced/")]
        if own and not departing(own):
            rows = with_status(rows, "inherited", lambda row: row.status == "departs")
            notes.append(f"outputs depart end to end: {why}; with the oracle's they agree")
    departure = _departure(case, rows)
    summary = departure.text if departure else "outputs after the steps"
    return case.result("eval", rows, departure, summary, notes)


def _rows(case: Case, prefix: str) -> list[Row]:
    floor = case.activation_floor("eval")
    alone = ", with the oracle's parameters and buffers" if prefix.startswith("forced/") else ""
    what = f"outputs in eval mode after the steps{alone}"
    return [
        case.measured(name, what, floor, run="after", tensor=name.rpartition("/")[2])
        for name in case.names(f"{prefix}/eval/output")
    ]


def _excuse(case: Case) -> str:
    """Why outputs may depart without any fault in eval mode; '' for no reason."""
    if ruled := ruled_layers(case):
        return f"the running variances of {listed(sorted(ruled))} are waived (see stage state)"
    steps = update_steps(case)
    moved = any(
        not measure.agrees
        for step in steps
        for measure, _ in measure_changes(case, step, forced=False).values()
    )
    if moved or any(gradients_depart(case, step) for step in steps):
        return "the parameters depart"
    return "the buffers depart" if judge_state(case).status == "fail" else ""


def _departure(case: Case, rows: list[Row]) -> Departure | None:
    wrong = departing(rows)
    if not wrong:
        return None
    row = wrong[-1]
    return case.departure("eval", "output", "", f"{row.what} depart", row)
