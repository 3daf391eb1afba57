"""Stage trajectory: a free run on shared batches, and what each side records of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from parity.buffers import ruled_layers
from parity.free_run import (
    LOSSES,
    Amplification,
    amplification,
    measure_snapshot,
    snapshots,
    step_errors,
    tensor_of,
)
from parity.grouping import listed
from parity.numerics import MISSING, difference, magnitude
from parity.stages.case import Case, count, departing
from parity.steps import structural_zeros
from parity.tolerance import PROOF_TOLERANCE, Measure, free_run_limit
from parity.verdict import Departure, Row, StageResult

RECORDED_TESTS = "test."
"""What a capture puts before the names of what a side records on its test data."""

_CHAOS = "the training is chaotic here: the reference departs from itself"


def judge(case: Case) -> StageResult:
    """Losses step by step, then every snapshot, then the records; as far as they show anything."""
    if LOSSES not in case.truth:
        return case.skipped("trajectory", "the reference's capture holds no trajectory")
    ruled, own = ruled_layers(case), amplification(case)
    steps = snapshots(case)
    rows = [_losses(case, own)]
    for step in steps:
        rows += _snapshot(case, step, ruled, own)
    rows += _records(case, bool(ruled), own)
    departure = _departure(case, rows, own)
    chaos = _chaos(own)
    if chaos and not departure and not any(step > 1 and own.judges(step) for step in steps):
        return replace(case.skipped("trajectory", chaos), rows=tuple(rows))
    notes = [chaos, _growth(rows), _amplified(own)]
    if ruled:
        notes.append(
            f"running variances of {listed(sorted(ruled))} are waived (see stage state), and so is "
            "what was recorded in eval mode"
        )
    summary = departure.text if departure else _summary(case, rows, own)
    return case.result("trajectory", rows, departure, summary, [n for n in notes if n])


def _losses(case: Case, own: Amplification) -> Row:
    """The losses up to the chaotic step; the row shows the step nearest to its limit."""
    more: dict[str, Any] = {"run": "losses", "tensor": "losses"}
    what, steps = "losses, step by step", _judged_steps(case, own)
    if not steps:
        return Row(name=LOSSES, what=what, status="not compared", fault=_CHAOS, **more)
    ours, theirs = case.truth[LOSSES], case.port.get(LOSSES)
    measure = case.ruler.measure(LOSSES)
    if theirs is not None and theirs.shape == ours.shape:
        measure = _worst_step(ours[:steps], theirs[:steps], own.limits()[:steps], measure)
    return case.row(LOSSES, measure, what, **more)


def _judged_steps(case: Case, own: Amplification) -> int:
    return len(case.truth[LOSSES]) if own.chaotic_from is None else own.chaotic_from - 1


def _worst_step(
    ours: np.ndarray, theirs: np.ndarray, limits: np.ndarray, whole: Measure
) -> Measure:
    errors = step_errors(ours, theirs)
    step = int((errors / limits).argmax())
    found = difference(ours[step], theirs[step], floor=magnitude([ours]))
    worst = (step,) if found.absolute else None
    return replace(whole, difference=replace(found, worst=worst), limit=float(limits[step]))


def _snapshot(case: Case, step: int, ruled: frozenset[str], own: Amplification) -> list[Row]:
    zeros = structural_zeros(case)
    rows = []
    for name, measure in measure_snapshot(case, step, case.port).items():
        kind, rest = name.removeprefix(f"trajectory/{step}/").split("/", 1)
        tensor = tensor_of(name)
        layer = case.layer_of(tensor)
        measure = replace(measure, limit=own.limit(step))
        more: dict[str, Any] = {"run": str(step), "tensor": tensor, "layer": layer}
        if measure.difference.fault == MISSING:
            pass  # no chaos excuses it
        elif not own.judges(step):
            more |= {"status": "not compared"}
        elif kind == "buffer" and layer in ruled and tensor.endswith("running_var"):
            more |= {"status": "waived"}
        elif tensor in zeros and not measure.agrees and not measure.difference.fault:
            more |= {"status": "note"}
        row = case.row(name, measure, f"{kind} {rest} after step {step}", **more)
        why = {"not compared": _CHAOS, "note": "its gradient is zero by structure"}
        rows.append(replace(row, fault=why.get(row.status, row.fault)))
    return rows


def _records(case: Case, ruled: bool, own: Amplification) -> list[Row]:
    rows = []
    for name in case.names("trajectory/record"):
        epoch, _, what = name.removeprefix("trajectory/record/").partition("/")
        end = _end_of(case, int(epoch))
        least = max(own.records.get(name, 0.0), float(own.losses[:end].max(initial=0.0)))
        more: dict[str, Any] = {"run": f"epoch {epoch}", "tensor": what}
        measure = replace(case.ruler.measure(name), limit=free_run_limit(least))
        if measure.difference.fault != MISSING:
            if not (own.judges(end) and own.judges_record(name)):
                more |= {"status": "not compared"}
            elif ruled and what.startswith(RECORDED_TESTS):
                more |= {"status": "waived"}
        rows.append(case.row(name, measure, f"recorded {what} of epoch {epoch}", **more))
    return rows


def _end_of(case: Case, epoch: int) -> int:
    """The last step of an epoch: a pair that records is looked at after each."""
    ends = snapshots(case) or [len(case.truth[LOSSES])]
    return ends[min(epoch, len(ends)) - 1]


def _departure(case: Case, rows: list[Row], own: Amplification) -> Departure | None:
    wrong = departing(rows)
    if not wrong:
        return None
    trained = [row for row in wrong if not row.name.startswith("trajectory/record/")]
    if not trained:
        row = wrong[0]
        text = f"{row.what} departs, while losses and parameters agree"
        return case.departure("trajectory", "step", "", text, row)
    row = trained[0]
    if row.name != LOSSES or row.fault:
        return case.departure("trajectory", "step", row.layer, f"{row.what} departs", row)
    text = f"losses depart from step {_first_step(case, own)} on"
    return case.departure("trajectory", "step", "", text, row)


def _first_step(case: Case, own: Amplification) -> int:
    """The first step whose loss departs, from 1."""
    errors = step_errors(case.truth[LOSSES], case.port[LOSSES])
    return 1 + int(np.argmax(errors > own.limits()))


def _chaos(own: Amplification) -> str:
    if own.chaotic_from is None:
        return ""
    return (
        f"the training is chaotic from step {own.chaotic_from} on: the reference departs from "
        f"itself by {own.largest:.1e} when moved by one unit in the last place; lower the learning "
        "rate or take larger batches"
    )


def _amplified(own: Amplification) -> str:
    """Said where more is allowed than the lane's tolerance."""
    judged = [value for step, value in own.snapshots.items() if own.judges(step)]
    most = free_run_limit(max(judged, default=0.0))
    if most <= PROOF_TOLERANCE:
        return ""
    return f"allowed up to {most:.1e}: the training amplifies rounding, in the reference itself too"


def _growth(rows: list[Row]) -> str:
    """The largest error of the parameters at each snapshot, as the design asks to show."""
    largest: dict[str, float] = {}
    for row in rows:
        if "/parameter/" in row.name and row.status in ("agrees", "departs"):
            largest[row.run] = max(row.error, largest.get(row.run, 0.0))
    if not largest:
        return ""
    shown = ", ".join(f"{error:.1e} after step {step}" for step, error in largest.items())
    return f"largest error of the parameters: {shown}"


def _summary(case: Case, rows: list[Row], own: Amplification) -> str:
    steps, judged = len(case.truth[LOSSES]), _judged_steps(case, own)
    some = f"{judged} of " if judged < steps else ""
    records = sum(
        row.name.startswith("trajectory/record/") and row.status == "agrees" for row in rows
    )
    chaotic = ", then chaotic" if judged < steps else ""
    metrics = f", {count(records, 'recorded metric')}" if records else ""
    return f"{some}{count(steps, 'step')}{chaotic}{metrics}"
