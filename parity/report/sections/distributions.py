"""How both sides initialise every tensor."""

from __future__ import annotations

from parity.report.blocks import Figure, Missing, Section, Table, Text, cells, numbers
from parity.report.charts import Line, LineChart, Role
from parity.report.words import counted, number
from parity.verdict import LEVELS, Distribution, Spread, Verdict

SHOWN = 12
"""Tensors that are drawn, at most; the table has all."""


def distributions(verdict: Verdict | None, notice: str | None) -> Section:
    """Quantiles of both sides over each other."""
    key, title = "init", "Initialisation"
    if verdict is None:
        return Section(key, title, (Missing("No verdict was given.", "python -m parity verify"),))
    found = verdict.distributions
    if not found:
        text = Text("Stage init was not judged: the pair has no native initialisation to compare.")
        return Section(key, title, (text,))
    left = f" The first {SHOWN} of {len(found)}." if len(found) > SHOWN else ""
    figure = Figure(
        name="init",
        caption="Quantiles of every tensor as each side initialises it, over many seeds: the two "
        f"lie on each other where the distributions are the same.{left}",
        alt=f"Quantiles of {counted(len(found), 'tensor')}, reference and port. The table below "
        "has mean, standard deviation and ends.",
        charts=tuple(map(_chart, found[:SHOWN])),
        notice=notice,
    )
    return Section(key, title, (figure, _table(found)))


def _chart(one: Distribution) -> LineChart:
    sides: tuple[tuple[Spread | None, str, Role], ...] = (
        (one.reference, "reference", "reference"),
        (one.port, "port", "port"),
    )
    lines = [
        Line(name=name, role=role, x=LEVELS, y=spread.quantiles, dashed=role == "port")
        for spread, name, role in sides
        if spread is not None
    ]
    return LineChart(
        title=one.tensor, x_label="share of the values below", y_label="value", lines=tuple(lines)
    )


def _table(found: tuple[Distribution, ...]) -> Table:
    rows = []
    for one in found:
        for name, spread in (("reference", one.reference), ("port", one.port)):
            values = _values(spread) if spread is not None else ("not initialised", "", "", "", "")
            rows.append((*cells(one.tensor, name), *numbers(*values)))
    head = ("tensor", "side", "values", "mean", "standard deviation", "least", "largest")
    return Table("Distributions in numbers", head, tuple(rows), folded=True)


def _values(spread: Spread) -> tuple[str, ...]:
    ends = (spread.quantiles[0], spread.quantiles[-1])
    shown = (spread.mean, spread.std, *ends)
    return (f"{spread.count:,}", *(number(value) for value in shown))
