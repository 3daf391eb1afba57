"""Stage init: how each side initialises itself, tensor by tensor, over many seeds."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.capture.capture_file import Capture
from parity.distributions import FALSE_ALARM, Sample, compare
from parity.grouping import grouped
from parity.stages.case import Case, count, departing
from parity.verdict import LEVELS, Departure, Distribution, Row, Spread, StageResult


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


def distributions(case: Case) -> tuple[Distribution, ...]:
    """Every float tensor as both sides initialise it, in few numbers."""
    ours, theirs = case.evidence.reference, case.evidence.port
    return tuple(
        Distribution(tensor=tensor, reference=_spread(ours, tensor), port=_spread(theirs, tensor))
        for tensor in ours.about.get("init", {})
    )


def _spread(capture: Capture, tensor: str) -> Spread | None:
    found, name = capture.about.get("init", {}).get(tensor), f"init/{tensor}"
    if found is None or name not in capture.arrays:
        return None
    quantiles = np.quantile(capture.arrays[name].astype(np.float64), LEVELS)
    quantiles[0], quantiles[-1] = found["min"], found["max"]  # of all values, not of the sample
    return Spread(
        count=int(found["count"]),
        mean=float(found["mean"]),
        std=float(found["std"]),
        quantiles=tuple(float(f"{value:.6g}") for value in quantiles),
    )


def _departure(case: Case, rows: list[Row]) -> Departure | None:
    wrong = departing(rows)
    if not wrong:
        return None
    row = wrong[0]
    others = f" (and {count(len(wrong) - 1, 'other tensor')})" if len(wrong) > 1 else ""
    return case.departure("init", "tensor", row.layer, f"{row.tensor}: {row.fault}{others}", row)
