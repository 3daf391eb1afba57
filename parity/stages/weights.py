"""Stage weights: every tensor and slot of either side has a counterpart, and crosses bit by bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from parity.grouping import grouped, listed
from parity.stages.case import Case, count, departing
from parity.verdict import Departure, Row, StageResult

SLOT = "slot:"
"""What names an optimizer slot in a waiver."""


def judge(case: Case) -> StageResult:
    """What the port holds after loading, converted back, against what it was given."""
    about = case.evidence.port.about
    waived = {waiver["name"]: waiver["reason"] for waiver in about.get("waivers", [])}
    rows = [_tensor(case, name, waived) for name in case.names("weight")]
    rows += [_surplus(name, waived) for name in _port_only(case)]
    rows += [_slot(sentence, waived) for sentence in about.get("loose_slots", [])]
    notes = [f"lossy: {text}" for text in grouped(_lossy(case))]
    departure = _departure(case, rows)
    tensors = sum(row.status == "agrees" for row in rows)
    summary = departure.text if departure else f"{count(tensors, 'tensor')} bit by bit"
    waivers = tuple(grouped(waived))
    if waivers and not departure:
        return case.result(
            "weights", rows, None, f"{summary}; waived: {listed(waived)}", notes,
            waivers=waivers, status="waived",
        )  # fmt: skip
    return case.result("weights", rows, departure, summary, notes, waivers=waivers)


def _tensor(case: Case, name: str, waived: dict[str, str]) -> Row:
    tensor = name.removeprefix("weight/")
    layer = case.layer_of(tensor)
    ours, theirs = case.truth[name], case.port.get(name)
    if tensor in waived:
        reason = waived[tensor]
        return Row(
            name=name, what=tensor, tensor=tensor, layer=layer, status="waived", fault=reason
        )
    lossy = layer in _lossy(case) and theirs is not None
    # Every bit: no tolerance, and no scale by which a difference could be small.
    exact = theirs is not None and np.array_equal(ours, theirs, equal_nan=ours.dtype.kind == "f")
    status = "not compared" if lossy else "agrees" if exact else "departs"
    row = case.measured(name, tensor, tensor=tensor, layer=layer, status=status)
    return replace(row, limit=0.0, budget=0.0)


def _port_only(case: Case) -> list[str]:
    known = set(case.names("weight"))
    return [name for name in case.evidence.port.names("weight") if name not in known]


def _surplus(name: str, waived: dict[str, str]) -> Row:
    tensor = name.removeprefix("weight/")
    return _loose(name, tensor, "the reference does not have it", waived.get(tensor))


def _slot(sentence: str, waived: dict[str, str]) -> Row:
    """A slot without counterpart; a waiver names it as 'slot:NAME'."""
    names = {name.removeprefix(SLOT): name for name in waived if name.startswith(SLOT)}
    words = sentence.replace("'", " ").replace(",", " ").replace(":", " ").split()
    by = next((full for name, full in names.items() if name in words), None)
    return _loose("slot", sentence, sentence, waived.get(by) if by else None)


def _loose(name: str, what: str, fault: str, reason: str | None) -> Row:
    if reason is not None:
        return Row(name=name, what=what, status="waived", fault=reason)
    return Row(name=name, what=what, status="departs", needed=float("inf"), fault=fault)


def _lossy(case: Case) -> dict[str, str]:
    """Layers whose rule cannot come back bit by bit, and what is lost."""
    found = case.evidence.port.about.get("lossy", {})
    return dict(found) if isinstance(found, dict) else {name: "" for name in found}


def _departure(case: Case, rows: list[Row]) -> Departure | None:
    wrong = departing(rows)
    if not wrong:
        return None
    row = wrong[0]
    more = f" ({count(len(wrong), 'tensor')} in all)" if len(wrong) > 1 else ""
    if row.fault:
        text = f"{row.what}: {row.fault}{more}"
    else:
        text = f"{row.what} is not what was loaded{more}"
    return case.departure("weights", "tensor", row.layer, text, row)
