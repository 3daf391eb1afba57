"""Stage forward: what every layer is given and returns, in training and in eval mode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from parity.branches import rejoined
from parity.grouping import listed
from parity.localise import Culprit, Runs, culprit, runs
from parity.numerics import MISSING
from parity.stages.case import Case, count, departing
from parity.timeline import Event, is_inside
from parity.verdict import Departure, Row, StageResult

PASSES = ("train", "eval")


@dataclass(frozen=True)
class Pass:
    """One pass, compared."""

    run: str
    events: tuple[Event, ...]
    rows: Mapping[int, tuple[Row, ...]]
    """By the event's position; events that the port cannot show have none."""
    introduced: Mapping[str, Row]
    """By the array's name: what the layer adds by itself."""
    unseen: tuple[Row, ...]
    """What was not compared, and why."""

    @property
    def lacking(self) -> list[Row]:
        """Arrays that the port should have and has not."""
        found = [row for rows in self.rows.values() for row in rows if _absent(row)]
        return found + [row for row in self.introduced.values() if _absent(row)]

    @property
    def differing(self) -> set[int]:
        """Positions of the events that depart."""
        return {
            i
            for i, rows in self.rows.items()
            if any(row.status == "departs" and not _absent(row) for row in rows)
        }


def compare_pass(case: Case, run: str) -> Pass:
    """Measure every event of a pass, and each layer alone."""
    return case.once(("pass", run), lambda: _compare_pass(case, run))


def _compare_pass(case: Case, run: str) -> Pass:
    floor, events = case.activation_floor(run), case.events(run)
    rows: dict[int, tuple[Row, ...]] = {}
    unseen: list[Row] = []
    introduced: dict[str, Row] = {}
    for i, event in enumerate(events):
        names, missing = _shown(case, event, run)
        unseen += [_unseen(name, event, run, why) for name, why in missing.items()]
        introduced |= _forced(case, names, event, floor) if event.kind == "exit" else {}
        found = [_row(case, name, event, run, floor, introduced) for name in names]
        if found:
            rows[i] = tuple(found)
    return Pass(run, events, rows, introduced, tuple(unseen))


def judge(case: Case) -> StageResult:
    """Both passes. A departure that nothing after it sees is a note, not a fault."""
    rows: list[Row] = []
    rewritten: list[str] = []
    departures = []
    for run in PASSES:
        compared = compare_pass(case, run)
        split = split_runs(case, compared)
        departures += [d for d in [_departure(case, compared, split)] if d]
        rewritten += [compared.events[i].words for i in split.absorbed]
        rows += [*_settled(compared, split), *compared.unseen]
    departure = departures[0] if departures else None
    layers = len({row.layer for row in rows if row.status != "not compared"} - {""})
    summary = departure.text if departure else f"{count(layers, 'layer')}, train and eval"
    return case.result("forward", rows, departure, summary, _notes(rewritten))


def split_runs(case: Case, compared: Pass) -> Runs:
    """The departures that reach the output, and those that are absorbed."""
    events, run = compared.events, compared.run
    split = runs(events, compared.differing, compared.rows, case.truth, run)
    return rejoined(split, events, compared.rows, case.truth, case.port, run)


def outputs_depart(case: Case, run: str = "train") -> bool:
    """Whether the model's output of a pass departs."""
    floor = case.activation_floor(run)
    names = case.names(f"{run}/output")
    return any(not case.ruler.measure(name, floor).agrees for name in names)


def _row(
    case: Case, name: str, event: Event, run: str, floor: float, introduced: Mapping[str, Row]
) -> Row:
    own = introduced.get(f"forced/{name}")
    return case.measured(
        name,
        f"{event.words}, {run}",
        floor,
        run=run,
        layer=event.layer,
        call=event.call,
        tensor=name.rpartition("/")[2],
        introduced=own.needed if own else None,
        introduced_ulps=own.ulps if own else None,
    )


def _shown(case: Case, event: Event, run: str) -> tuple[list[str], dict[str, str]]:
    """The arrays to compare, and those that the port says it has not, and why.

    Attention takes the same array three times in PyTorch, and once in Flax. What is missing is then
    seen where it goes, or where it comes from.
    """
    names, missing = [], {}
    for leaf, name in zip(event.leaves, event.names(run), strict=True):
        if name not in case.truth:
            continue
        layer, call = event.layer, event.call
        why = "" if event.kind == "output" else case.unseen.why(event.kind, layer, call, leaf)
        if why and name not in case.port:
            missing[name] = why
        else:
            names.append(name)
    return names, missing


def _forced(case: Case, names: list[str], event: Event, floor: float) -> dict[str, Row]:
    """The layer alone; what is not there must be excused, since it decides of faults."""
    rows = {}
    for name in (f"forced/{name}" for name in names):
        why = case.unseen.why_unforced("exit", event.layer, event.call, name.rpartition("/")[2])
        if name in case.truth and (name in case.port or not why):
            what = f"{event.words}, given the oracle's input"
            rows[name] = case.measured(name, what, floor, layer=event.layer, call=event.call)
    return rows


def _unseen(name: str, event: Event, run: str, why: str) -> Row:
    return Row(
        name=name,
        what=f"{event.words}, {run}",
        run=run,
        layer=event.layer,
        call=event.call,
        status="not compared",
        fault=why,
    )


def _absent(row: Row) -> bool:
    return row.fault == MISSING


def _settled(compared: Pass, split: Runs) -> list[Row]:
    """The rows; those of absorbed departures as notes."""
    rows = []
    for i, found in compared.rows.items():
        absorbed = i in split.absorbed
        rows += [
            replace(r, status="note")
            if absorbed and r.status == "departs" and not _absent(r)
            else r
            for r in found
        ]
    return rows


def _notes(rewritten: list[str]) -> list[str]:
    if not rewritten:
        return []
    return [f"differs inside, and nothing after it does, so it is a rewrite: {listed(rewritten)}"]


def _departure(case: Case, compared: Pass, split: Runs) -> Departure | None:
    if not split.fault:
        return _lacking(case, compared)
    events, position = compared.events, split.fault[0]
    where = culprit(events, position, compared.rows, case.truth, compared.run)
    row = max(departing(compared.rows[position]), key=lambda row: row.needed)
    own = row.introduced
    if where.place == "between" and events[position].kind == "enter":
        own = _alone(compared, where.layer)
    return case.departure(
        "forward",
        where.place,
        where.layer,
        _text(case, where, row, compared.run),
        row,
        after=where.after,
        introduced=own,
        also=_also(compared, split, where),
    )


def _alone(compared: Pass, layer: str) -> float | None:
    """What the layer after a fault between two adds by itself."""
    found = (row.needed for row in compared.introduced.values() if row.layer == layer)
    return max(found, default=None)


def _text(case: Case, where: Culprit, row: Row, run: str) -> str:
    mode = "training" if run == "train" else "eval"
    introduces = row.introduced is not None and row.introduced > row.limit
    own = ", given the oracle's input too" if introduces else ""
    return f"{where.text} in {mode} mode{own}"


def _lacking(case: Case, compared: Pass) -> Departure | None:
    if not compared.lacking:
        return None
    row = compared.lacking[0]
    text = f"{row.what}: the port's capture does not have it ({row.name})"
    return case.departure("forward", "tensor", row.layer, text, row)


def _also(compared: Pass, split: Runs, where: Culprit) -> tuple[str, ...]:
    """Other layers that depart by themselves: a second fault beside the first."""
    reached = {compared.events[i].layer for i in split.fault}
    wrong = [r.layer for r in departing(compared.introduced.values()) if not _absent(r)]
    layers = [layer for layer in dict.fromkeys(wrong) if layer in reached and layer != where.layer]
    return tuple(
        layer
        for layer in layers
        if not is_inside(where.layer, layer) and not any(is_inside(w, layer) for w in wrong)
    )
