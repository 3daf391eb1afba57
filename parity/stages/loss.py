"""Stage loss: the loss of a full and of a short batch, and its derivative."""

from __future__ import annotations

from parity.stages.case import Case, departing
from parity.stages.forward import outputs_depart
from parity.verdict import Departure, Row, StageResult

_BATCHES = {"train": "full batch", "short": "short batch"}


def judge(case: Case) -> StageResult:
    """Where outputs depart already, the loss of the oracle's outputs decides alone."""
    if not case.evidence.truth.about.get("loss", True):
        return case.skipped("loss", "the pair has no loss; fixed random projections stand in")
    names = [f"{run}/loss" for run in _BATCHES if f"{run}/loss" in case.truth]
    if not names:
        return case.skipped("loss", "the reference's capture holds no loss")
    rows, notes = [], []
    for run, batch in _BATCHES.items():
        inherits = outputs_depart(case, run)
        found = _rows(case, run, batch, inherits)
        rows += found
        if any(row.status == "inherited" for row in found):
            notes.append(f"loss of the {batch} departs because the outputs do: inherited")
    rows += _derivative(case)
    departure = _departure(case, rows)
    summary = departure.text if departure else "full and short batch, and its derivative"
    return case.result("loss", rows, departure, summary, notes)


def _rows(case: Case, run: str, batch: str, inherits: bool) -> list[Row]:
    found = []
    for name in (f"{run}/loss", f"forced/{run}/loss"):
        if name not in case.truth:
            continue
        forced = name.startswith("forced/")
        what = f"loss of the {batch}" + (", of the oracle's outputs" if forced else "")
        row = case.measured(name, what, run=run, tensor="loss")
        if inherits and not forced and row.status == "departs":
            row = case.measured(name, what, run=run, tensor="loss", status="inherited")
        found.append(row)
    return found


def _derivative(case: Case) -> list[Row]:
    names = case.names("forced/cotangent/output")
    floor = case.kind_floor(names)
    what = "d loss / d outputs, at the oracle's outputs"
    return [case.measured(n, what, floor, tensor=n.rpartition("/")[2]) for n in names]


def _departure(case: Case, rows: list[Row]) -> Departure | None:
    wrong = departing(rows)
    if not wrong:
        return None
    full = [row for row in wrong if row.run == "train"]
    short_only = not full and any(row.run == "short" for row in wrong)
    row = wrong[0]
    only = ", and only of it" if short_only else ""
    return case.departure("loss", "output", "", f"{row.what} departs{only}", row)
