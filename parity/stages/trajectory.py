"""Stage trajectory: a free run on shared batches, and what each side records of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.buffers import ruled_layers
from parity.numerics import magnitude
from parity.stages.case import Case, count, departing
from parity.steps import divisors, drift, structural_zeros
from parity.tolerance import KIND_FLOOR, Measure
from parity.verdict import Departure, Row, StageResult

RECORDED_TESTS = "test."
"""What a capture puts before the names of what a side records on its test data."""


def judge(case: Case) -> StageResult:
    """Losses step by step, then every snapshot, then the records."""
    if "trajectory/losses" not in case.truth:
        return case.skipped("trajectory", "the reference's capture holds no trajectory")
    ruled = ruled_layers(case)
    rows = [_losses(case)]
    for step in case.evidence.truth.about.get("steps", {}).get("trajectory", []):
        rows += _snapshot(case, step, ruled)
    rows += _records(case, bool(ruled))
    departure = _departure(case, rows)
    notes = [_growth(rows)]
    if ruled:
        notes.append(
            f"running variances of {', '.join(sorted(ruled))} are waived (see stage state), and "
            "so is what was recorded in eval mode"
        )
    summary = departure.text if departure else _summary(case, rows)
    return case.result("trajectory", rows, departure, summary, [n for n in notes if n])


def _losses(case: Case) -> Row:
    name = "trajectory/losses"
    return case.measured(name, "losses, step by step", run="losses", tensor="losses")


def _snapshot(case: Case, step: int, ruled: frozenset[str]) -> list[Row]:
    prefix = f"trajectory/{step}"
    zeros, allowance = structural_zeros(case), drift(case, prefix)
    weights = divisors(case, prefix)
    rows = []
    for name in case.names(prefix):
        kind, _, rest = name.removeprefix(f"{prefix}/").partition("/")
        tensor = rest.partition("/")[2] if kind == "slot" else rest
        floor = _slot_floor(case, name, rest) if kind == "slot" else 0.0
        layer = case.layer_of(tensor)
        if kind == "parameter" and tensor in weights:
            measure = _weighted(case, name, weights[tensor])
        else:
            measure = case.ruler.measure(name, floor, allowance if kind == "buffer" else 0.0)
        more: dict[str, Any] = {"run": str(step), "tensor": tensor, "layer": layer}
        if kind == "buffer" and layer in ruled and tensor.endswith("running_var"):
            more |= {"status": "waived"}
        elif tensor in zeros and not measure.agrees and not measure.difference.fault:
            more |= {"status": "note", "fault": "its gradient is zero by structure"}
        rows.append(case.row(name, measure, f"{kind} {rest} after step {step}", **more))
    return rows


def _weighted(case: Case, name: str, weight: np.ndarray) -> Measure:
    """A parameter of an adaptive optimizer: see `parity.steps.measure_changes`. The scale stays."""
    truth, port = case.truth[name], case.port.get(name)
    if port is None or port.shape != weight.shape:
        return case.ruler.measure(name)
    return case.ruler.compare(truth * weight, port * weight, [], floor=magnitude([truth]))


def _slot_floor(case: Case, name: str, rest: str) -> float:
    slot = name.removesuffix(f"/{rest.partition('/')[2]}")
    return KIND_FLOOR * magnitude(case.truth[n] for n in case.names(slot))


def _records(case: Case, ruled: bool) -> list[Row]:
    rows = []
    for name in case.names("trajectory/record"):
        epoch, _, what = name.removeprefix("trajectory/record/").partition("/")
        waived: dict[str, Any] = (
            {"status": "waived"} if ruled and what.startswith(RECORDED_TESTS) else {}
        )
        text = f"recorded {what} of epoch {epoch}"
        rows.append(case.measured(name, text, run=f"epoch {epoch}", tensor=what, **waived))
    return rows


def _departure(case: Case, rows: list[Row]) -> Departure | None:
    wrong = departing(rows)
    if not wrong:
        return None
    trained = [row for row in wrong if not row.name.startswith("trajectory/record/")]
    if not trained:
        row = wrong[0]
        text = f"{row.what} departs, while losses and parameters agree"
        return case.departure("trajectory", "step", "", text, row)
    row = trained[0]
    if row.name != "trajectory/losses" or row.fault:
        return case.departure("trajectory", "step", row.layer, f"{row.what} departs", row)
    step = _first_step(case)
    text = f"losses depart from step {step} on"
    return case.departure("trajectory", "step", "", text, row)


def _first_step(case: Case) -> int:
    """The first step whose loss departs, from 1."""
    ours, theirs = case.truth["trajectory/losses"], case.port["trajectory/losses"]
    limit = case.ruler.limit * magnitude([ours])
    return 1 + int(np.argmax(~(np.abs(theirs - ours) <= limit)))


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


def _summary(case: Case, rows: list[Row]) -> str:
    steps = len(case.truth["trajectory/losses"])
    records = sum(row.name.startswith("trajectory/record/") for row in rows)
    return f"{count(steps, 'step')}" + (f", {count(records, 'recorded metric')}" if records else "")
