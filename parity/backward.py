"""Where a backward pass departs first, in the order of the forward pass reversed. NumPy only.

A layer's cotangent is d loss / d what it returned. Where it departs and the cotangents of all
layers after it agree, the fault lies after the layer: in the backward pass of the layer that
follows, or in the code between the two.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from parity.stages.case import departing
from parity.timeline import Event, layer_after
from parity.verdict import Row


@dataclass(frozen=True, kw_only=True)
class Fault:
    """The layer to look at, and the numbers there."""

    place: Literal["between", "backward", "tensor"]
    layer: str
    text: str
    row: Row
    after: str = ""
    introduced: Row | None = None
    also: tuple[str, ...] = ()


def locate(
    events: tuple[Event, ...],
    gradients: Sequence[Row],
    cotangents: Sequence[Row],
    forced: Sequence[Row],
    rewritten: Collection[tuple[str, int]] = (),
) -> Fault | None:
    """The first fault of the backward pass; None where there is none.

    `rewritten` are the calls whose outputs differ in the forward pass: a module of the port may end
    elsewhere than the reference's (include its ReLU, say). There the cotangents belong to different
    things, and one that departs is a fault only if a gradient departs with it. Where the outputs
    agree, the derivative with respect to them must.
    """
    positions = {(e.layer, e.call): i for i, e in enumerate(events) if e.kind == "exit"}
    wrong = departing(gradients)
    run = _first_run(cotangents, positions, wrong, rewritten)
    lone = _first_lone(wrong, positions, run)
    if lone is not None:
        return _of_tensor(lone, forced)
    if run:
        return _of_run(events, run[0], positions, cotangents, forced)
    return None


def _backward(rows: Sequence[Row], positions: dict[tuple[str, int], int]) -> list[Row]:
    """In the order of the backward pass; that of the model's output comes first."""
    last = max(positions.values(), default=0) + 1
    return sorted(rows, key=lambda row: -positions.get((row.layer, row.call), last))


def _first_run(
    cotangents: Sequence[Row],
    positions: dict[tuple[str, int], int],
    wrong: Sequence[Row],
    rewritten: Collection[tuple[str, int]],
) -> list[Row]:
    """The first unbroken run of departing cotangents that is confirmed."""
    layers = {row.layer for row in wrong}
    run: list[Row] = []
    ordered = _backward(cotangents, positions)
    for row in ordered:
        if row.status == "departs":
            run.append(row)
            continue
        if _confirmed(run, layers, rewritten):
            return run
        run = []
    return run if _confirmed(run, layers, rewritten) else []


def _confirmed(
    run: Sequence[Row], layers: set[str], rewritten: Collection[tuple[str, int]]
) -> bool:
    """Whether a wrong gradient lies in the run, or a cotangent of something that agrees."""
    return any(row.layer in layers or (row.layer, row.call) not in rewritten for row in run)


def _first_lone(
    wrong: Sequence[Row], positions: dict[tuple[str, int], int], run: Sequence[Row]
) -> Row | None:
    """The first wrong gradient, if it comes before every departing cotangent."""
    if not wrong:
        return None
    latest = {
        row: max((i for (layer, _), i in positions.items() if layer == row.layer), default=-1)
        for row in wrong
    }
    row = max(wrong, key=lambda row: latest[row])
    if not run:
        return row
    start = positions.get((run[0].layer, run[0].call), len(positions) * 2)
    return row if latest[row] > start else None


def _of_tensor(row: Row, forced: Sequence[Row]) -> Fault:
    own = next(
        (f for f in departing(forced) if f.layer == row.layer and f.tensor in row.tensor), None
    )
    text = f"{row.layer}: {row.what} departs, and what {row.layer} is given and the cotangent of "
    return Fault(
        place="backward" if own else "tensor",
        layer=row.layer,
        text=text + "what it returns agree",
        row=row,
        introduced=own,
    )


def _of_run(
    events: tuple[Event, ...],
    first: Row,
    positions: dict[tuple[str, int], int],
    cotangents: Sequence[Row],
    forced: Sequence[Row],
) -> Fault:
    if not first.layer:
        text = "d loss / d outputs departs: the loss's backward pass, or code after the last layer"
        return Fault(place="between", layer="", text=text, row=first)
    start = positions[first.layer, first.call]
    agreeing = {(row.layer, row.call) for row in cotangents if row.status == "agrees"}
    introducing = sorted(
        ((positions[f.layer, f.call], f) for f in departing(forced)), key=lambda found: found[0]
    )
    own = next((f for i, f in introducing if i > start and (f.layer, f.call) in agreeing), None)
    others = tuple(dict.fromkeys(f.layer for _, f in introducing))
    following = layer_after(events, start)
    if own is not None:
        return Fault(
            place="backward",
            layer=own.layer,
            text=f"{own.layer}: its backward pass departs, given the oracle's numbers too",
            row=first,
            after=first.layer,
            introduced=own,
            also=tuple(layer for layer in others if layer != own.layer),
        )
    text = (
        f"between {first.layer} and {following or 'the output'}: the backward pass of what lies "
        f"after {first.layer} departs"
    )
    return Fault(
        place="between", layer=first.layer, text=text, row=first, after=first.layer, also=others
    )
