"""The whole report, before it is HTML or Markdown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from parity.report.blocks import Section
from parity.report.inputs import Inputs
from parity.report.sections.answer import answer, notices
from parity.report.sections.curves import curves
from parity.report.sections.distributions import distributions
from parity.report.sections.divergence import divergence
from parity.report.sections.exceptions import exceptions
from parity.report.sections.layer_map import layer_map
from parity.report.sections.planted import planted
from parity.report.sections.provenance import provenance
from parity.report.sections.sources import sources
from parity.report.sections.speed import speed
from parity.report.sections.stages import stages
from parity.report.sections.wall import wall


@dataclass(frozen=True)
class Report:
    """Title, what stands above everything, and the sections in their order."""

    title: str
    notices: tuple[str, ...]
    sections: tuple[Section, ...]


def compose(inputs: Inputs, images: np.ndarray | None) -> Report:
    """`images` are the test pictures, or None to leave them out."""
    said = notices(inputs)
    notice = " / ".join(line.splitlines()[0] for line in said) or None
    verdict, trainings = inputs.verdict, inputs.curves
    makers: tuple[Callable[[], Section], ...] = (
        lambda: answer(inputs),
        lambda: stages(verdict),
        lambda: layer_map(verdict, notice),
        lambda: curves(trainings, notice),
        lambda: divergence(trainings, notice),
        lambda: distributions(verdict, notice),
        lambda: speed(inputs.benchmarks),
        lambda: planted(inputs.scorecard),
        lambda: wall(trainings, images),
        lambda: sources(verdict),
        lambda: provenance(inputs),
        lambda: exceptions(verdict),
    )
    pair = verdict.pair if verdict is not None else "cifar10_cnn" if trainings is not None else ""
    title = f"Parity of {pair}" if pair else "Parity"
    return Report(title, said, tuple(make() for make in makers))
