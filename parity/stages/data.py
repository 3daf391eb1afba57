"""Stage data: what each side's own loader hands out, batch by batch."""

from __future__ import annotations

from parity.loader_faults import diagnose
from parity.stages.case import Case, count
from parity.verdict import Departure, Row, StageResult


def judge(case: Case) -> StageResult:
    """Digests of every batch; where they differ, say how from the batches that were stored."""
    ours, theirs = (
        side.about.get("data", {}) for side in (case.evidence.reference, case.evidence.port)
    )
    if not ours and not theirs:
        return case.skipped("data", "the pair has no loaders of its own")
    rows = [row for epoch in dict.fromkeys([*ours, *theirs]) for row in _epoch(case, epoch)]
    wrong = [row for row in rows if row.status == "departs"]
    departure = _departure(case, wrong[0]) if wrong else None
    batches = sum(len(digests) for digests in ours.values())
    summary = f"{count(len(ours), 'epoch')}, {count(batches, 'batch').replace('batchs', 'batches')}"
    text = departure.text if departure else summary
    return case.result("data", rows, departure, text, numbers=False)


def _epoch(case: Case, epoch: str) -> list[Row]:
    sides = (case.evidence.reference, case.evidence.port)
    ours, theirs = (list(side.about.get("data", {}).get(epoch, [])) for side in sides)
    sizes, other_sizes = (list(side.about.get("sizes", {}).get(epoch, [])) for side in sides)
    what = f"batches of epoch {epoch}"
    if len(ours) != len(theirs):
        fault = f"{len(theirs)} batches, reference {len(ours)}"
        return [_row(what, epoch, fault)]
    unlike = [i for i, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1]]
    if unlike:
        first = f"the first is batch {unlike[0] + 1}"
        return [_row(what, epoch, f"{len(unlike)} of {len(ours)} batches differ, {first}")]
    if sizes != other_sizes:
        return [_row(what, epoch, f"sizes {other_sizes}, reference {sizes}")]
    return [Row(name=f"data/{epoch}", what=what, run=f"epoch {epoch}")]


def _row(what: str, epoch: str, fault: str) -> Row:
    return Row(
        name=f"data/{epoch}",
        what=what,
        run=f"epoch {epoch}",
        status="departs",
        needed=float("inf"),
        fault=fault,
    )


def _departure(case: Case, row: Row) -> Departure:
    epoch = row.name.removeprefix("data/")
    found = diagnose(case.evidence.reference, case.evidence.port, epoch)
    text = f"{row.what}: {row.fault}" + (f"; {found}" if found else "")
    return case.departure("data", "data", "", text, row)
