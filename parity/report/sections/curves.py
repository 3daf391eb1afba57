"""Whole trainings: curves with bands, the published run, the statistics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from parity.curves import screen
from parity.curves.figures import names
from parity.curves.results import Arm, Results
from parity.report.blocks import (
    Block,
    Cell,
    Figure,
    Mark,
    Missing,
    Section,
    Table,
    Text,
    cells,
    numbers,
)
from parity.report.charts import Line, LineChart, Role
from parity.report.words import percent, sentence

COMMAND = "python -m parity curves"
PUBLISHED_PICTURES = 50_000
"""Of an epoch of the published run."""

_PANELS = (
    ("test_accuracy", "test accuracy (%)", 100.0),
    ("test_loss", "test loss (nats)", 1.0),
    ("train_accuracy", "train accuracy (%)", 100.0),
    ("train_loss", "train loss (nats)", 1.0),
)
_MARKS: dict[str, Mark] = {"equivalent": "good", "different": "bad"}


def curves(results: Results | None, notice: str | None) -> Section:
    """Means and bands over the epochs, and what the statistics say of them."""
    key, title = "curves", "Training curves"
    if results is None:
        return Section(key, title, (Missing("No trainings were compared.", COMMAND),))
    mark = _MARKS.get(results.native.outcome, "warn")
    blocks: list[Block] = [
        Text(sentence(results.native.text), mark),
        _figure(results, notice),
        _statistics(results),
        *_errors(results),
        Text(results.published.explanation),
        _epochs(results),
        _classes(results),
        Text(screen.churn(results)),
    ]
    return Section(key, title, tuple(blocks))


def _figure(results: Results, notice: str | None) -> Figure:
    charts = tuple(_chart(results, *panel) for panel in _PANELS)
    runs = len(results.reference.trainings)
    ours, theirs = names(results)
    last = [np.mean([t.epochs[-1].test_accuracy for t in arm.trainings])
            for arm in (results.reference, results.port)]  # fmt: skip
    return Figure(
        name="curves",
        caption=f"{runs} trainings of each framework from their own initialisations: mean, and the "
        "seeds' range as a band. Grey: the published run, its test loss corrected."
        f"{_fewer(results)}",
        alt=f"Loss and accuracy of {ours} and {theirs} over {results.comparison.epochs} epochs. "
        f"They end at {percent(float(last[0]))} and {percent(float(last[1]))} test accuracy.",
        charts=charts,
        notice=notice,
    )


def _fewer(results: Results) -> str:
    size = results.pictures.train_size
    if size == PUBLISHED_PICTURES:
        return ""
    return f" It saw {PUBLISHED_PICTURES:,} pictures an epoch, these trainings {size:,}."


def _chart(results: Results, key: str, label: str, scale: float) -> LineChart:
    ours, theirs = names(results)
    shown = results.published.epochs[: results.comparison.epochs]
    published = Line(
        name="published run",
        role="published",
        x=tuple(row["epoch"] for row in shown),
        y=tuple(scale * row[key] for row in shown),
        dashed=True,
    )
    lines = (
        published,
        _arm(results.reference, ours, "reference", key, scale),
        _arm(results.port, theirs, "port", key, scale),
    )
    return LineChart(title=label, x_label="epoch", y_label=label, lines=lines, whole=True)


def _arm(arm: Arm, name: str, role: Role, key: str, scale: float) -> Line:
    values = scale * np.array([[getattr(r, key) for r in t.epochs] for t in arm.trainings])
    return Line(
        name=name,
        role=role,
        x=tuple(range(1, values.shape[1] + 1)),
        y=tuple(values.mean(axis=0).tolist()),
        low=tuple(values.min(axis=0).tolist()),
        high=tuple(values.max(axis=0).tolist()),
    )


def _statistics(results: Results) -> Table:
    """A column a metric."""
    metrics = results.native.metrics
    interval = f"{100 - 200 * results.comparison.alpha:g} % interval of the difference"
    names_of_rows = ("reference", "port", "difference", interval, "margin",
                     "smallest margin that can be shown", "p equivalent (Holm)",
                     "p different (Holm)")  # fmt: skip
    columns = [screen.metric_cells(metric) for metric in metrics]
    rows = [
        (*cells(name), *numbers(*(column[place] for column in columns)))
        for place, name in enumerate(names_of_rows, start=1)
    ]
    needed = ("" if m.runs_needed is None else str(m.runs_needed) for m in metrics)
    rows.append((*cells("runs that the margin needs"), *numbers(*needed)))
    outcomes = (Cell(metric.outcome, _MARKS.get(metric.outcome, "warn")) for metric in metrics)
    rows.append((*cells("outcome"), *outcomes))
    return Table(
        "Equivalence by two one-sided tests (TOST). Margins and alpha were fixed before the first "
        "training. The smallest margin is what so many runs of this spread show with power 0.8.",
        ("", *(column[0] for column in columns)),
        tuple(rows),
    )


def _errors(results: Results) -> list[Text]:
    alarms = results.native.false_alarms
    return [] if alarms is None else [Text(sentence(screen.false_alarms(alarms)))]


def _epochs(results: Results) -> Table:
    ours, theirs = names(results)
    rows = []
    for place in range(results.comparison.epochs):
        means = [
            np.mean([getattr(training.epochs[place], key) for training in arm.trainings]) * scale
            for key, _, scale in _PANELS
            for arm in (results.reference, results.port)
        ]
        rows.append((*cells(str(place + 1)), *numbers(*(f"{value:.4g}" for value in means))))
    head = ["epoch", *(f"{label}, {name}" for _, label, _ in _PANELS for name in (ours, theirs))]
    return Table("The curves in numbers: means of the seeds", tuple(head), tuple(rows), folded=True)


def _classes(results: Results) -> Table:
    def mean(values: Sequence[float]) -> str:
        return f"{100 * np.mean(values):.1f}"

    ours, theirs = names(results)
    rows = tuple(
        (*cells(one.name), *numbers(mean(one.reference), mean(one.port))) for one in results.classes
    )
    return Table(
        "Test accuracy of each class, %, means of the seeds", ("class", ours, theirs), rows
    )
