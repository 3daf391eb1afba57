"""Stage update: how far each step moves each parameter, and what the optimizer keeps."""

from __future__ import annotations

from dataclasses import replace

from parity.grouping import grouped
from parity.stages.case import Case, count, departing
from parity.stages.gradient import gradient_rows
from parity.steps import measure_changes, structural_zeros, update_steps
from parity.verdict import Departure, Row, StageResult

_ZERO = "its gradient is zero by structure, so its steps are rounding; the optimizer alone decides"
_INHERITED = "the gradients of this step, or what came before it, depart already"


def judge(case: Case) -> StageResult:
    """Step by step; where gradients depart already, the optimizer alone decides."""
    steps = update_steps(case)
    if not steps or not case.names("update"):
        return case.skipped("update", "the reference's capture holds no update steps")
    rows: list[Row] = []
    departure, inherits = None, False
    for step in steps:
        inherits = inherits or gradients_depart(case, step)
        found = [*_changes(case, step, inherits), *_slots(case, step, inherits)]
        departure = departure or _departure(case, step, found)
        # What departs in one step is where the next one starts from.
        inherits = inherits or bool(departing(found))
        rows += found
    notes = _notes(rows)
    summary = departure.text if departure else _summary(case, steps, rows)
    return case.result("update", rows, departure, summary, notes)


def gradients_depart(case: Case, step: int) -> bool:
    """Whether any gradient of an update step departs end to end."""
    prefix = f"update/{step}/gradient"
    return case.once((prefix, "depart"), lambda: bool(departing(gradient_rows(case, prefix))))


def _changes(case: Case, step: int, inherits: bool) -> list[Row]:
    zeros = structural_zeros(case)
    rows = []
    for forced in (False, True):
        prefix = f"forced/update/{step}/parameter" if forced else f"update/{step}/parameter"
        alone = ", the optimizer alone" if forced else ""
        for tensor, (measure, change) in measure_changes(case, step, forced).items():
            row = case.row(
                f"{prefix}/{tensor}",
                measure,
                f"change of {tensor} in step {step}{alone}",
                run=str(step),
                tensor=tensor,
                layer=case.layer_of(tensor),
            )
            row = replace(row, shape=change.shape)
            if forced:
                # A change is rounded with the parameter that it is added to.
                ulps = case.ruler.ulps_of(measure, case.truth[f"{prefix}/{tensor}"])
                rows.append(replace(row, introduced=row.needed, introduced_ulps=ulps))
            else:
                rows.append(_excused(row, inherits, tensor in zeros))
    return rows


def _slots(case: Case, step: int, inherits: bool) -> list[Row]:
    zeros = structural_zeros(case)
    rows = []
    for forced in (False, True):
        prefix = f"forced/update/{step}/slot" if forced else f"update/{step}/slot"
        alone = ", the optimizer alone" if forced else ""
        for slot in dict.fromkeys(
            n.removeprefix(f"{prefix}/").split("/")[0] for n in case.names(prefix)
        ):
            names = case.names(f"{prefix}/{slot}")
            floor = case.kind_floor(names)
            for name in names:
                tensor = name.removeprefix(f"{prefix}/{slot}/")
                row = case.measured(
                    name,
                    f"{slot} of {tensor} after step {step}{alone}",
                    floor,
                    run=str(step),
                    tensor=tensor,
                    layer=case.layer_of(tensor),
                )
                if forced:
                    rows.append(replace(row, introduced=row.needed, introduced_ulps=row.ulps))
                else:
                    rows.append(_excused(row, inherits, tensor in zeros))
    return rows


def _excused(row: Row, inherits: bool, zero: bool) -> Row:
    """An end-to-end departure that is not the optimizer's making."""
    if row.status != "departs" or row.fault:
        return row
    if inherits:
        return replace(row, status="inherited", fault=_INHERITED)
    return replace(row, status="note", fault=_ZERO) if zero else row


def _departure(case: Case, step: int, rows: list[Row]) -> Departure | None:
    wrong = departing(rows)
    if not wrong:
        return None
    # A wrong slot is the cause of a wrong change, and a missing one is to be said as that.
    changes = [row for row in wrong if row.what.startswith("change")]
    row = max(changes or wrong, key=lambda row: row.needed)
    forced = [r.needed for r in wrong if r.name.startswith("forced/") and r.tensor == row.tensor]
    rates = case.evidence.truth.about.get("steps", {}).get("rates", [])
    steps = update_steps(case)
    place = steps.index(step)
    changed = place > 0 and place < len(rates) and rates[place] != rates[place - 1]
    when = f"step {step}" + (", the first with another learning rate" if changed else "")
    tensors = {r.tensor for r in wrong}
    text = f"{row.what} departs ({count(len(tensors), 'tensor')} in {when})"
    # What moves every tensor otherwise is the optimizer's, and no layer's.
    everywhere = tensors == {r.tensor for r in rows} and len(tensors) > 1
    layer = "" if everywhere else row.layer
    return case.departure("update", "step", layer, text, row, introduced=max(forced, default=None))


def _notes(rows: list[Row]) -> list[str]:
    notes = []
    if any(row.status == "inherited" for row in rows):
        notes.append("steps depart end to end because gradients do: inherited")
    return notes + grouped({row.tensor: _ZERO for row in rows if row.status == "note"})


def _summary(case: Case, steps: list[int], rows: list[Row]) -> str:
    slots = case.evidence.truth.about.get("slots", [])
    tensors = len({row.tensor for row in rows})
    kept = f", {', '.join(slots)}" if slots else ""
    return f"steps {', '.join(map(str, steps))}: {count(tensors, 'parameter')}{kept}"
