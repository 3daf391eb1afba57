"""Makes the whole report, and only then writes its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from experiment.storage import write_atomically
from parity.report.blocks import Figure
from parity.report.content import compose
from parity.report.drawing import png
from parity.report.inputs import Inputs
from parity.report.markdown import FIGURES, markdown
from parity.report.page import page

HTML, MARKDOWN = "report.html", "report.md"


def write_report(folder: Path, inputs: Inputs, images: np.ndarray | None) -> Path:
    """Write report.html, report.md and figures/*.png; returns the page. Raises `OSError`.

    `images` are the test pictures (uint8, n 32 32 3), or None to leave them out.
    """
    report = compose(inputs, images)
    blocks = [block for section in report.sections for block in section.blocks]
    stills = {block.name: png(block) for block in blocks if isinstance(block, Figure)}
    html, text = page(report, stills), markdown(report)
    (folder / FIGURES).mkdir(parents=True, exist_ok=True)
    for name, content in stills.items():
        write_atomically(folder / FIGURES / f"{name}.png", content)
    write_atomically(folder / MARKDOWN, text.encode())
    write_atomically(folder / HTML, html.encode())
    return folder / HTML


def remove_report(folder: Path) -> None:
    """Take an earlier run's report away, which nobody shall mistake for the next one's."""
    for name in (HTML, MARKDOWN):
        (folder / name).unlink(missing_ok=True)
