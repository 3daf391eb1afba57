"""The figures show what they are of, and say when the data is a stand-in."""

from __future__ import annotations

from pathlib import Path

import matplotlib.figure
import numpy as np
import pytest
from PIL import Image

from experiment import figures
from experiment.history import EpochRecord, Metrics

CLASSES = ("cat", "dog")
NOTICE = "SYNTHETIC STAND-IN DATA\nmore about it"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[matplotlib.figure.Figure]:
    """The figures that were saved, to look into."""
    saved: list[matplotlib.figure.Figure] = []
    save = matplotlib.figure.Figure.savefig

    def keep(figure: matplotlib.figure.Figure, *arguments: object, **options: object) -> None:
        saved.append(figure)
        save(figure, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", keep)
    return saved


def records(count: int) -> list[EpochRecord]:
    return [
        EpochRecord.of(
            epoch, Metrics(2 / epoch, 0.1 * epoch), Metrics(3 / epoch, 0.05 * epoch), 1, 1
        )
        for epoch in range(1, count + 1)
    ]


def texts(figure: matplotlib.figure.Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


def test_samples_are_twenty_pictures_under_their_labels(
    tmp_path: Path, drawn: list[matplotlib.figure.Figure]
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (30, 32, 32, 3), dtype=np.uint8)
    labels = np.arange(30, dtype=np.uint8) % 2
    figures.draw_samples(tmp_path / "samples.png", images, labels, CLASSES, None)
    panels = drawn[0].axes
    assert len(panels) == 20
    for place, panel in enumerate(panels):
        assert panel.get_title() == CLASSES[place % 2]
        assert np.array_equal(panel.images[0].get_array(), images[place])
    with Image.open(tmp_path / "samples.png") as picture:
        assert picture.format == "PNG"


def test_fewer_than_twenty_pictures_are_drawn_too(
    tmp_path: Path, drawn: list[matplotlib.figure.Figure]
) -> None:
    images, labels = np.zeros((3, 32, 32, 3), np.uint8), np.zeros(3, np.uint8)
    figures.draw_samples(tmp_path / "samples.png", images, labels, CLASSES, None)
    assert sum(len(panel.images) for panel in drawn[0].axes) == 3


def test_curves_hold_each_run_and_the_published_one(
    tmp_path: Path, drawn: list[matplotlib.figure.Figure]
) -> None:
    figures.draw_curves(tmp_path / "curves.png", {"PyTorch": records(2), "JAX": records(3)}, None)
    loss, accuracy = drawn[0].axes
    labels = {"published, train", "published, test", "PyTorch, train", "PyTorch, test",
              "JAX, train", "JAX, test"}  # fmt: skip
    assert {str(line.get_label()) for line in accuracy.lines} == labels
    lines = {str(line.get_label()): line for line in loss.lines}
    assert list(lines["JAX, test"].get_ydata()) == [3.0, 1.5, 1.0]
    assert len(np.atleast_1d(lines["published, test"].get_ydata())) == 10


@pytest.mark.parametrize("notice", [NOTICE, None])
def test_stand_in_is_announced_on_every_figure(
    tmp_path: Path, drawn: list[matplotlib.figure.Figure], notice: str | None
) -> None:
    images, labels = np.zeros((20, 32, 32, 3), np.uint8), np.zeros(20, np.uint8)
    figures.draw_samples(tmp_path / "samples.png", images, labels, CLASSES, notice)
    figures.draw_curves(tmp_path / "curves.png", {"JAX": records(2)}, notice)
    assert [("SYNTHETIC" in texts(figure)) for figure in drawn] == [notice is not None] * 2
