"""Test pictures with what both frameworks say of them, the disagreements first."""

from __future__ import annotations

import io

import numpy as np

from experiment.cifar10 import load
from experiment.errors import UserError
from parity.curves.figures import names
from parity.curves.results import Prediction, Results
from parity.report.blocks import Missing, Picture, Section, Text, Wall
from parity.report.words import counted, percent, sentence


class PicturesError(UserError):
    """The pictures at hand are not those that were trained on."""


def read_pictures(results: Results, spec: str | None) -> np.ndarray:
    """The test pictures of a comparison, uint8 (n, 32, 32, 3); from where it had them, or `spec`.

    Raises `PicturesError` where those are other pictures, and the `UserError` of the loader.
    """
    found = load(spec or results.comparison.data)
    if found.fingerprint != results.pictures.sha256:
        raise PicturesError(
            f"--data {spec or results.comparison.data}: found other pictures ({found.source}, "
            f"sha256 {found.fingerprint[:12]}) than were trained on (sha256 "
            f"{results.pictures.sha256[:12]}); name the folder of those, or leave the wall of "
            "pictures out with --no-pictures"
        )
    return found.test_images


def wall(results: Results | None, images: np.ndarray | None) -> Section:
    """`images` is None where they shall be left out."""
    key, title = "wall", "Test pictures"
    if results is None:
        missing = Missing("No trainings were compared.", "python -m parity curves")
        return Section(key, title, (missing,))
    shown = results.wall
    said = (
        f"the trainings of seed {shown.seed} disagree on "
        f"{counted(shown.disagreements, 'picture')} of {results.pictures.test_size:,} "
        f"({percent(shown.disagreements / results.pictures.test_size)}); disagreements first"
    )
    if images is None:
        note = Text("The pictures were left out of this report (--no-pictures).")
        return Section(key, title, (Text(sentence(said)), note))
    pictures = tuple(_picture(one, images[one.index], results) for one in shown.predictions)
    return Section(key, title, (Text(sentence(said)), Wall(pictures)))


def _picture(one: Prediction, pixels: np.ndarray, results: Results) -> Picture:
    classes, (ours, theirs) = results.pictures.classes, names(results)
    lines = (
        classes[one.label],
        f"{ours}: {classes[one.reference]} {percent(one.reference_probability)}",
        f"{theirs}: {classes[one.port]} {percent(one.port_probability)}",
    )
    alt = f"Test picture {one.index}: a {classes[one.label]}"
    return Picture(png=_png(pixels), alt=alt, lines=lines, agrees=one.agrees)


def _png(pixels: np.ndarray) -> bytes:
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(content, format="png", optimize=True)
    return content.getvalue()
