"""Stage gradient: every parameter's gradient, every layer's cotangent, end to end and alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from parity.backward import Fault, locate
from parity.grouping import listed
from parity.stages.case import Case, count, departing, with_status
from parity.stages.forward import compare_pass, outputs_depart
from parity.verdict import Departure, Row, StageResult


def judge(case: Case) -> StageResult:
    """Name the layer whose backward pass departs first, in the order of the backward pass."""
    if not case.names("gradient"):
        return case.skipped("gradient", "the reference has no parameter with a gradient")
    gradients, cotangents = gradient_rows(case), _cotangents(case)
    forced = _forced(case)
    fault = locate(case.events("train"), gradients, cotangents, forced, _rewritten(case))
    inherits = outputs_depart(case)
    if fault and _excused(case, inherits, forced):
        note = _why_excused(inherits)
        gradients, cotangents = _inherited(gradients), _inherited(cotangents)
        departure = None
        notes = [note]
    else:
        departure = _departure(case, fault) if fault else None
        notes = []
        if not fault:
            notes = _rewrites(cotangents)
            cotangents = with_status(cotangents, "note", lambda row: row.status == "departs")
    absorbed = fault is None
    if absorbed:
        forced = with_status(forced, "note", lambda row: row.status == "departs")
    rows = [*gradients, *cotangents, *forced]
    summary = departure.text if departure else count(len(gradients), "parameter")
    return case.result("gradient", rows, departure, summary, notes)


def gradient_rows(case: Case, prefix: str = "gradient") -> list[Row]:
    """Every parameter's gradient under a prefix of the captures."""
    names = case.names(prefix)
    floor = case.kind_floor(names)
    rows = []
    for name in names:
        tensor = name.removeprefix(f"{prefix}/")
        what = f"gradient of {tensor}"
        rows.append(
            case.measured(
                name, what, floor, tensor=tensor, layer=case.layer_of(tensor), run="train"
            )
        )
    return rows


def _cotangents(case: Case) -> list[Row]:
    names = case.names("cotangent")
    floor = case.kind_floor(names)
    rows = []
    for name in names:
        place, _, leaf = name.removeprefix("cotangent/").rpartition("/")
        layer, _, call = place.rpartition("#")
        why = case.unseen.why("exit", layer, int(call), leaf) if layer else ""
        if why and name not in case.port:
            continue
        what = "d loss / d " + (f"what {layer} returns" if layer else "outputs")
        rows.append(
            case.measured(
                name,
                what,
                floor,
                layer=layer,
                call=int(call) if layer else 0,
                tensor=leaf,
                run="train",
            )
        )
    return rows


def _forced(case: Case) -> list[Row]:
    """What each layer's backward pass makes of the oracle's numbers."""
    rows = []
    for prefix, plain in (("forced/cotangent", "cotangent"), ("forced/gradient", "gradient")):
        names = [n for n in case.names(prefix) if not n.startswith("forced/cotangent/output/")]
        floor = case.kind_floor([*names, *case.names(plain)])
        for name in names:
            place, _, tensor = name.removeprefix(f"{prefix}/").rpartition("/")
            layer, _, call = place.rpartition("#")
            # A gradient is the whole layer's; it has no leaf that could be loose.
            leaf = tensor if plain == "cotangent" else ""
            if case.unseen.why_unforced("enter", layer, int(call), leaf) and name not in case.port:
                continue
            of = tensor if plain == "gradient" else f"the input of {layer}"
            what = f"d loss / d {of}, {layer} alone"
            row = case.measured(name, what, floor, layer=layer, call=int(call), tensor=tensor)
            rows.append(replace(row, introduced=row.needed, introduced_ulps=row.ulps))
    return rows


def _rewritten(case: Case) -> set[tuple[str, int]]:
    """Calls whose outputs depart in the forward pass, the model's own among them."""
    compared = compare_pass(case, "train")
    return {(compared.events[i].layer, compared.events[i].call) for i in compared.differing}


def _excused(case: Case, inherits: bool, forced: Sequence[Row]) -> bool:
    """Whether end-to-end departures are none of the backward pass's making.

    In the budget lanes also where each layer alone stays in its budget: rounding may carry a value
    across a kink (a ReLU at 0, a near tie in a pooling), and then gradients jump, in a right port
    too. The proof lane compares the same gradients where no such jump is possible.
    """
    if departing(forced):
        return False
    return inherits or (not case.ruler.proves and bool(forced))


def _rewrites(cotangents: Sequence[Row]) -> list[str]:
    layers = [row.layer or "the model" for row in departing(cotangents)]
    if not layers:
        return []
    return [
        f"d loss / d what {listed(layers)} returns: departs as that itself does, and no gradient "
        "does: a rewrite"
    ]


def _why_excused(inherits: bool) -> str:
    if inherits:
        return "gradients depart because the outputs do, and no layer adds to it: inherited"
    return (
        "gradients depart end to end while every layer alone stays in its budget: rounding carried "
        "a value across a kink (a ReLU at 0, a near tie in a pooling); the proof lane decides"
    )


def _inherited(rows: Sequence[Row]) -> list[Row]:
    return with_status(rows, "inherited", lambda row: row.status == "departs")


def _departure(case: Case, fault: Fault) -> Departure:
    found = case.departure(
        "gradient", fault.place, fault.layer, fault.text, fault.row, after=fault.after
    )
    own = fault.introduced
    return replace(found, introduced=own.needed if own else None, also=fault.also)
