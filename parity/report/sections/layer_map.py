"""Layers against forward, gradient and update: the error that each introduces by itself."""

from __future__ import annotations

import math
from collections.abc import Iterable

from parity.report.blocks import Figure, Missing, Section, Table, Text, cells, numbers
from parity.report.charts import LEAST, HeatMap, Tile
from parity.report.words import number
from parity.verdict import Row, Verdict

STAGES = ("forward", "gradient", "update")


def layer_map(verdict: Verdict | None, notice: str | None) -> Section:
    """A heat map and its numbers."""
    key, title = "layers", "Layer map"
    if verdict is None:
        return Section(key, title, (Missing("No verdict was given.", "python -m parity verify"),))
    found = worst_rows(verdict)
    layers = [layer.path for layer in verdict.layers if any(k[0] == layer.path for k in found)]
    layers += sorted({layer for layer, _, _ in found} - set(layers))
    if not layers:
        text = Text("No stage of this verdict compared single layers.")
        return Section(key, title, (text,))
    columns = [(s, lane) for lane in verdict.lanes for s in STAGES if _has(found, s, lane)]
    names = {layer.path: f"{layer.path} ({_last(layer.kind)})" for layer in verdict.layers}
    chart = HeatMap(
        title="Introduced error in ulp; the colour is its share of what is allowed",
        columns=tuple(f"{stage}, {lane}" for stage, lane in columns),
        rows=tuple(names.get(layer, layer) for layer in layers),
        tiles=tuple(
            tuple(_tile(found.get((layer, *column)), layer, names, verdict) for column in columns)
            for layer in layers
        ),
    )
    worst = max(found.values(), key=share)
    figure = Figure(
        name="layers",
        caption="What each layer adds by itself, given the oracle's input (forward), the oracle's "
        "cotangents (gradient) or the oracle's gradients (update): the worst of its tensors, in "
        "units in the last place. Below 1 % of what is allowed is rounding; red departs.",
        alt=f"Heat map of {len(layers)} layers by {len(columns)} stages. The largest share of what "
        f"is allowed is {number(share(worst))}, {worst.what}. The table below has the numbers.",
        charts=(chart,),
        notice=notice,
    )
    return Section(key, title, (figure, _table(found, layers, columns)))


def worst_rows(verdict: Verdict) -> dict[tuple[str, str, str], Row]:
    """By layer, stage and lane: the row of the largest introduced error."""
    found: dict[tuple[str, str, str], Row] = {}
    for result in verdict.results:
        for row in result.rows if result.stage in STAGES else ():
            if row.introduced is not None and row.layer:
                key = (row.layer, result.stage, result.lane)
                if key not in found or share(row) > share(found[key]):
                    found[key] = row
    return found


def share(row: Row) -> float:
    """Introduced error as a share of what is allowed; NaN counts as infinitely much."""
    assert row.introduced is not None
    part = row.introduced / row.limit if row.limit else math.inf if row.introduced else 0.0
    return math.inf if math.isnan(part) else part


def _has(found: Iterable[tuple[str, str, str]], stage: str, lane: str) -> bool:
    return any(key[1:] == (stage, lane) for key in found)


def _last(kind: str) -> str:
    return kind.rpartition(".")[2]


def _tile(row: Row | None, layer: str, names: dict[str, str], verdict: Verdict) -> Tile:
    if row is None:
        return Tile(value=None, text="", hover=(names.get(layer, layer), "not compared by itself"))
    part = share(row)
    value = LEAST if part == 0 else math.inf if math.isinf(part) else math.log10(part)
    ports = {each.path: each.port_path for each in verdict.layers}
    return Tile(
        value=min(value, 99.0),
        text=_ulps(row),
        hover=(
            f"{names.get(layer, layer)}; port: {ports.get(layer) or layer}",
            row.what,
            f"shape {list(row.shape)}",
            f"introduced {_ulps(row)} ulp",
            f"tolerance needed {number(row.introduced)}, allowed {number(row.limit)}",
        ),
    )


def _ulps(row: Row) -> str:
    ulps = row.introduced_ulps
    return "" if ulps is None else f"{ulps:.1e}" if ulps >= 1e4 else f"{ulps:.3g}"


def _table(
    found: dict[tuple[str, str, str], Row], layers: list[str], columns: list[tuple[str, str]]
) -> Table:
    rows = [
        (
            *cells(layer, stage, lane, row.what, "x".join(map(str, row.shape))),
            *numbers(_ulps(row), number(row.introduced), number(row.limit)),
        )
        for layer in layers
        for stage, lane in columns
        if (row := found.get((layer, stage, lane))) is not None
    ]
    head = ("layer", "stage", "lane", "worst tensor", "shape", "ulp", "needed", "allowed")
    return Table("The numbers of the map", head, tuple(rows), folded=True)
