"""Before all stages: what each capture process found about itself. A verdict without it is void."""

from __future__ import annotations

from parity.stages.case import Case, count
from parity.stages.names import SELF_CHECKS
from parity.verdict import Row, StageResult


def judge(case: Case) -> StageResult:
    """Every check of either side must have passed."""
    rows = [
        Row(
            name=f"{side.about['side']}: {name}",
            what=f"{side.about['side']}: {name}",
            status="agrees" if outcome.get("passed") else "departs",
            needed=0.0 if outcome.get("passed") else float("inf"),
            fault=None if outcome.get("passed") else str(outcome.get("detail", "")),
        )
        for side in (case.evidence.reference, case.evidence.port)
        for name, outcome in side.about.get("checks", {}).items()
    ]
    if not rows:
        return case.skipped(SELF_CHECKS, "the captures hold no self-checks")
    wrong = [row for row in rows if row.status == "departs"]
    departure = None
    if wrong:
        text = "; ".join(f"{row.what}: {row.fault}" for row in wrong)
        departure = case.departure(SELF_CHECKS, "check", "", text, wrong[0])
    summary = departure.text if departure else count(len(rows), "check")
    return case.result(SELF_CHECKS, rows, departure, summary, numbers=False)
