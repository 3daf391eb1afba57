"""The pictures of a run: samples of the data, and its curves beside the published ones."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from experiment.history import EpochRecord
from experiment.published import published_run
from experiment.storage import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROWS, COLUMNS = 4, 5
_COLOURS = ("#0b6e99", "#c1440e", "#3d7a35", "#7a3d78")


def draw_samples(
    path: Path,
    images: UInt8[np.ndarray, "n 32 32 3"],
    labels: UInt8[np.ndarray, " n"],
    classes: Sequence[str],
    notice: str | None,
) -> None:
    """Draw the first twenty pictures with their labels. Raises `OSError`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 7.4), layout="constrained")
    for place, axes in enumerate(figure.subplots(ROWS, COLUMNS).flat):
        axes.set_axis_off()
        if place < len(images):
            axes.imshow(images[place])
            axes.set_title(classes[labels[place]], fontsize=11)
    _save(figure, path, "the first twenty training pictures", notice)


def draw_curves(path: Path, runs: Mapping[str, Sequence[EpochRecord]], notice: str | None) -> None:
    """Draw loss and accuracy of named runs over the epochs, the published run in grey.

    Raises `OSError`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.8), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    named = [("published", published_run(), "#888888")]
    named += [(n, list(r), c) for (n, r), c in zip(runs.items(), _COLOURS, strict=False)]
    for name, records, colour in named:
        _draw_run(loss, name, colour, records, [(r.train_loss, r.test_loss) for r in records])
        percent = [(100 * r.train_accuracy, 100 * r.test_accuracy) for r in records]
        _draw_run(accuracy, name, colour, records, percent)
    for axes, label in ((loss, "cross-entropy, mean over the batches"), (accuracy, "accuracy (%)")):
        axes.set_xlabel("epoch")
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
    accuracy.legend(fontsize=9)
    _save(figure, path, f"{' and '.join(runs)}: training", notice)


def _draw_run(
    axes: Axes,
    name: str,
    colour: str,
    records: Sequence[EpochRecord],
    train_test: Sequence[tuple[float, float]],
) -> None:
    epochs = [record.epoch for record in records]
    for values, style, split in zip(zip(*train_test, strict=True), (":", "-"), ("train", "test"),
                                    strict=False):  # fmt: skip
        axes.plot(epochs, values, style, color=colour, marker="o", markersize=3,
                  label=f"{name}, {split}")  # fmt: skip


def _save(figure: Figure, path: Path, title: str, notice: str | None) -> None:
    """Write the figure as PNG, whole or not at all, under its title and the notice on its data."""
    figure.suptitle(title, fontsize=13)
    if notice is not None:
        box = {"facecolor": "#b00020", "edgecolor": "none", "pad": 5}
        figure.supxlabel(notice.splitlines()[0], color="white", weight="bold", fontsize=10,
                         bbox=box)  # fmt: skip
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    write_atomically(path, buffer.getvalue())
