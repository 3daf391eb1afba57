"""The first epoch from the same weights over the same batches: how far the losses separate."""

from __future__ import annotations

import numpy as np

from parity.curves.figures import names
from parity.curves.results import Results, SharedStart
from parity.curves.shared import reach
from parity.report.blocks import Figure, Missing, Section, Text
from parity.report.charts import Line, LineChart, Role
from parity.report.words import sentence

POINTS = 400
"""Steps that the plot shows, at most; the distance never shrinks, so none is hidden."""


def divergence(results: Results | None, notice: str | None) -> Section:
    """The port beside the reference against itself."""
    key, title = "divergence", "Divergence from a shared start"
    if results is None:
        missing = Missing("No trainings were compared.", "python -m parity curves")
        return Section(key, title, (missing,))
    start, (_, port) = results.shared, names(results)
    count = len(start.reference)
    steps = np.unique(np.linspace(0, count - 1, min(count, POINTS)).astype(int))
    lines = [
        _line(start, run, steps, "reference moved by one ulp" if not number else "", "noise")
        for number, run in enumerate(start.noise)
    ]
    allowed = tuple(start.envelope[step] for step in steps)
    lines.append(
        Line(name=f"allowed: {start.factor:g} times the noise so far", role="limit",
             x=tuple((steps + 1).tolist()), y=allowed, dashed=True, marked=False)
    )  # fmt: skip
    lines.append(_line(start, start.port, steps[steps < len(start.port)], port, "port"))
    chart = LineChart(
        title="Largest difference of the losses so far",
        x_label="step of the first epoch",
        y_label="nats",
        lines=tuple(lines),
        log=True,
        whole=True,
    )
    figure = Figure(
        name="divergence",
        caption="Two right programs separate through rounding alone, and so does the reference "
        "from itself when its first weights move by one unit in the last place.",
        alt=f"Logarithmic plot over {count:,} steps of one epoch: the port is {start.outcome} what "
        f"{len(start.noise)} noise runs of the reference allow. It would need {start.needed:.2g} "
        f"times their distance, most at step {start.worst_step:,}.",
        charts=(chart,),
        notice=notice,
    )
    said = Text(sentence(start.text), "good" if start.outcome == "inside" else "bad")
    return Section(key, title, (said, figure))


def _line(
    start: SharedStart, run: tuple[float, ...], steps: np.ndarray, name: str, role: Role
) -> Line:
    taken = min(len(run), len(start.reference))
    far = reach(start.reference[:taken], run[:taken])
    return Line(
        name=name,
        role=role,
        x=tuple((steps + 1).tolist()),
        y=tuple(far[steps].tolist()),
        named=bool(name),
        marked=False,
    )
