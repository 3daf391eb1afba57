"""Stage init: how each side initialises itself, tensor by tensor, over many seeds."""

from __future__ import annotations

from typing import Any

from parity.distributions import FALSE_ALARM, Sample, compare
from parity.grouping import grouped
from parity.stages.case import Case, count, departing
from parity.verdict import Departure, Row, StageResult


def judge(case: Case) -> StageResult:
    """Distributions, not numbers: the sides draw from generators of their own."""
    ours, theirs = (
        case.evidence.reference.about.get("init", {}),
        case.evidence.port.about.get("init", {}),
    )
    if not ours:
        return case.skipped("init", "the reference's capture holds no native initialisation")
    waived = {w["name"]: w["reason"] for w in case.evidence.port.about.get("waivers", [])}
    rows = [_row(case, tensor, ours, theirs, waived) for tensor in ours]
    said = ("note", "not compared")
    notes = grouped({row.tensor: row.fault or "" for row in rows if row.status in said})
    departure = _departure(case, rows)
    judged = sum(row.status in ("agrees", "departs") for row in rows)
    summary = f"{count(judged, 'tensor')}, false alarms once in {1 / FALSE_ALARM:.0e} tests"
    return case.result("init", rows, departure, departure.text if departure else summary, notes)


def _row(case: Case, tensor: str, ours: dict, theirs: dict, waived: dict[str, str]) -> Row:
    name = f"init/{tensor}"
    more: dict[str, Any] = {
        "tensor": tensor,
        "layer": case.layer_of(tensor),
        "what": tensor,
        "name": name,
    }
    if tensor in waived:
        return Row(status="waived", fault=waived[tensor], **more)
    # A Flax LSTM has one bias where PyTorch has two: what crosses back is the bridge's making, and
    # no initialisation of the port's. That it learns otherwise is found at the stage update.
    if why := case.evidence.port.about.get("made_up", {}).get(tensor):
        return Row(status="not compared", fault=why, **more)
    if tensor not in theirs or name not in case.port:
        fault = "the port's capture does not have it"
        return Row(status="departs", needed=float("inf"), fault=fault, **more)
    found = compare(
        Sample.of(case.evidence.reference.arrays[name], ours[tensor]),
        Sample.of(case.port[name], theirs[tensor]),
    )
    status = "agrees" if found.agrees else "departs"
    if found.too_few and found.agrees:
        status = "note"
    return Row(
        status=status,  # type: ignore[arg-type]
        error=found.statistic,
        needed=found.statistic,
        limit=1.0,
        budget=1.0,
        reference_value=ours[tensor]["std"],
        port_value=theirs[tensor]["std"],
        fault=None if status == "agrees" else found.text,
        **more,
    )


def _departure(case: Case, rows: list[Row]) -> Departure | None:
    wrong = departing(rows)
    if not wrong:
        return None
    row = wrong[0]
    others = f" (and {count(len(wrong) - 1, 'other tensor')})" if len(wrong) > 1 else ""
    return case.departure("init", "tensor", row.layer, f"{row.tensor}: {row.fault}{others}", row)
