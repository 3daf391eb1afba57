"""The figures of a comparison, as PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from experiment.storage import write_atomically
from parity.curves.results import Arm, Results, SharedStart
from parity.curves.shared import reach

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0b6e99", "#c1440e")
"""Of the reference and of the port."""

PUBLISHED = "#888888"

_PANELS = (
    ("train_loss", "train loss (nats)", 1.0),
    ("test_loss", "test loss (nats)", 1.0),
    ("train_accuracy", "train accuracy (%)", 100.0),
    ("test_accuracy", "test accuracy (%)", 100.0),
)


def draw_curves(path: Path, results: Results) -> None:
    """Both arms over the epochs: mean, the seeds' range as a band, the published run in grey.

    Raises `OSError`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7.6), layout="constrained")
    arms = (results.reference, results.port)
    for axes, (key, label, scale) in zip(figure.subplots(2, 2).flat, _PANELS, strict=True):
        rows = results.published.epochs[: results.comparison.epochs]
        axes.plot([row["epoch"] for row in rows], [scale * row[key] for row in rows],
                  color=PUBLISHED, marker="o", markersize=3, label="published run")  # fmt: skip
        for arm, name, colour in zip(arms, names(results), COLOURS, strict=True):
            _draw_arm(axes, arm, name, colour, key, scale)
        axes.set_xlim(0.9, results.comparison.epochs + 0.1)
        axes.set_xlabel("epoch")
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(fontsize=9)
    runs = len(results.reference.trainings)
    _save(figure, path, results, f"{runs} trainings each, mean and range: {results.native.outcome}")


def draw_divergence(path: Path, results: Results) -> None:
    """How far the losses have gone from the reference's, step by step. Raises `OSError`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5), layout="constrained")
    axes = figure.subplots()
    start, (_, port) = results.shared, names(results)
    steps = np.arange(1, len(start.reference) + 1)
    allowed = np.asarray(start.envelope)
    axes.fill_between(steps, _least(start), allowed, color="#000000", alpha=0.08,
                      label=f"allowed: {start.factor:g} times the noise so far")  # fmt: skip
    for number, run in enumerate(start.noise):
        axes.plot(steps, _seen(start, run), color=PUBLISHED, linewidth=0.9,
                  label="reference moved by one ulp" if not number else None)  # fmt: skip
    axes.plot(steps[: len(start.port)], _seen(start, start.port), color=COLOURS[1], linewidth=1.4,
              label=f"{port} against the reference")  # fmt: skip
    axes.set_yscale("log")
    axes.set_xlabel("step of the first epoch")
    axes.set_ylabel("largest difference of the losses so far (nats)")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=9, loc="lower right")
    _save(figure, path, results, f"same weights, same batches: {start.outcome} the envelope")


def names(results: Results) -> tuple[str, str]:
    """What the two arms are called."""
    ours, theirs = results.reference.framework, results.port.framework
    return ours, theirs if theirs != ours else f"{theirs} again"


def _draw_arm(axes: Axes, arm: Arm, name: str, colour: str, key: str, scale: float) -> None:
    values = scale * np.array([[getattr(r, key) for r in t.epochs] for t in arm.trainings])
    epochs = np.arange(1, values.shape[1] + 1)
    low, high = values.min(axis=0), values.max(axis=0)
    axes.fill_between(epochs, low, high, color=colour, alpha=0.2, linewidth=0)
    axes.plot(epochs, values.mean(axis=0), color=colour, marker="o", markersize=4, label=name)


def _seen(start: SharedStart, run: Sequence[float]) -> np.ndarray:
    """The reach, where it is zero as small as the plot goes."""
    steps = min(len(run), len(start.reference))
    return np.maximum(reach(start.reference[:steps], run[:steps]), _least(start))


def _least(start: SharedStart) -> float:
    """The rounding of a loss in float32."""
    return float(2.0**-24 * max(start.reference))


def _save(figure: Figure, path: Path, results: Results, title: str) -> None:
    """Write the PNG, whole or not at all, under its title and what must be said of it."""
    figure.suptitle(title, fontsize=13)
    said = [f"planted: {text}" for text in results.planted]
    if results.pictures.notice:
        said.append(results.pictures.notice)
    if said:
        figure.supxlabel("\n".join(said), color="white", weight="bold", fontsize=10,
                         bbox={"facecolor": "#b00020", "edgecolor": "none", "pad": 5})  # fmt: skip
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    write_atomically(path, buffer.getvalue())
