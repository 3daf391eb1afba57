"""Stage state: buffers (running statistics) after a pass in training mode and after each step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from parity.buffers import REASON, buffer_rows
from parity.grouping import listed
from parity.stages.case import Case, count, departing, with_status
from parity.stages.forward import outputs_depart
from parity.stages.update import gradients_depart
from parity.steps import update_steps
from parity.verdict import Departure, Row, StageResult


def judge(case: Case) -> StageResult:
    """The first time at which any buffer departs."""
    rows = buffer_rows(case, "train/buffer", "after one pass in training mode")
    inherits = False
    for step in update_steps(case):
        found = buffer_rows(case, f"update/{step}/buffer", f"after step {step}")
        # In a budget lane a kink that moved a gradient moves what follows; see stage gradient.
        rows += _inherited(found) if inherits and not case.ruler.proves else found
        inherits = inherits or gradients_depart(case, step)
    if not rows:
        return case.skipped("state", "the reference has no buffers")
    notes = []
    if any(row.status == "inherited" for row in rows):
        notes.append("buffers depart after steps whose gradients depart: inherited")
    departure = _departure(case, rows)
    if departure and outputs_depart(case):
        departure = replace(departure, text=f"{departure.text}, as the outputs in training mode do")
    ruled = [row.layer for row in rows if row.status == "waived"]
    tensors = count(len({row.tensor for row in rows}), "buffer")
    summary = departure.text if departure else tensors
    if ruled and not departure:
        summary = f"{tensors}; biased variances of {count(len(set(ruled)), 'layer')} waived"
    waivers = [f"running variances of {listed(ruled)}: {REASON}"] if ruled else []
    more: dict[str, Any] = {"status": "waived"} if ruled and not departure else {}
    return case.result("state", rows, departure, summary, notes, waivers=tuple(waivers), **more)


def _inherited(rows: list[Row]) -> list[Row]:
    return with_status(rows, "inherited", lambda row: row.status == "departs" and not row.fault)


def _departure(case: Case, rows: list[Row]) -> Departure | None:
    wrong = departing(rows)
    if not wrong:
        return None
    row = wrong[0]
    return case.departure("state", "tensor", row.layer, f"{row.what} departs", row)
