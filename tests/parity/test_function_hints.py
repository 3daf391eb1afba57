"""Patterns of functions that two libraries define differently."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from parity.capture.capture_file import Capture
from parity.evidence import LaneEvidence
from parity.hints import find_hint
from parity.hints.activations import gelu, gelu_tanh
from parity.stages.case import Case
from parity.verdict import Departure, Row

RANDOM = np.random.default_rng(6)
ROWS = RANDOM.normal(size=(5, 6))
SERIES = RANDOM.normal(size=(5, 6, 3))
SHIFTS = RANDOM.integers(-11, 12, size=(40,))

Function = Callable[[np.ndarray], np.ndarray]


def leaky(slope: float) -> Function:
    return lambda x: np.where(x < 0, slope * x, x)


def elu(alpha: float) -> Function:
    return lambda x: np.where(x < 0, alpha * np.expm1(x), x)


def rows(function: Function) -> Function:
    """A function of numbers, on rows."""
    return lambda x: function(x.ravel()).reshape(x.shape)


def deviation(ddof: int) -> Function:
    return lambda x: x.std(axis=1, ddof=ddof)


def lower_median(x: np.ndarray) -> np.ndarray:
    return np.sort(x, axis=1)[:, 2]


def median(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.median(x, axis=1))


def towards_zero(x: np.ndarray) -> np.ndarray:
    return np.trunc(x / 4).astype(int)


def hinted(given: np.ndarray, reference: Function, port: Function) -> tuple[int, str]:
    """The hint for what a layer is given, computed from what a layer before it returns."""
    name, before = "train/enter/after#0/0", "train/exit/before#0/0"
    timeline = [["exit", "before", 0, ["0"], True], ["enter", "after", 0, ["0"], True]]
    about = {"lane": "float64", "timeline": {"train": timeline}}
    ours = Capture(about, {before: given, name: reference(given)})
    case = Case(LaneEvidence("float64", ours, Capture({}, {before: given, name: port(given)})))
    departure = Departure(
        stage="forward", lane="float64", place="between", text="", layer="after", after="before",
        row=Row(name=name, what="", run="train", layer="after"),
    )  # fmt: skip
    hint = find_hint(case, departure)
    return (hint.bug, hint.text) if hint else (0, "")


@pytest.mark.parametrize(
    ("given", "reference", "port", "bug", "words"),
    [
        (ROWS, rows(gelu), rows(gelu_tanh), 24, "the tanh approximation (JAX's default)"),
        (ROWS, leaky(0.2), leaky(0.01), 25, "slope is 0.01 in the port and 0.2 in the reference"),
        (ROWS, elu(0.5), elu(1.0), 25, "ELU's alpha is 1 in the port and 0.5"),
        (SERIES, lower_median, median, 62, "over axis 1 of what before returns"),
        (SERIES, deviation(1), deviation(0), 62, "the port has std over n (ddof=0)"),
        (SHIFTS, towards_zero, lambda x: x // 4, 62, "the port rounds down"),
        (SHIFTS, lambda x: x // 4, towards_zero, 62, "towards zero, the"),
    ],
)  # fmt: skip
def test_other_convention(
    given: np.ndarray, reference: Function, port: Function, bug: int, words: str
) -> None:
    found, text = hinted(given, reference, port)
    assert found == bug
    assert words in text


@pytest.mark.parametrize(
    ("given", "reference", "port"),
    [
        (ROWS, leaky(0.2), np.tanh),
        (SERIES, lower_median, lambda x: np.sort(x, axis=1)[:, 4]),
        (SHIFTS, lambda x: x // 4, lambda x: x // 4 + (x > 3)),
        (SHIFTS, lambda x: x // 4, lambda x: x // 4 + 5),
    ],
)
def test_anything_else_fits_no_pattern(
    given: np.ndarray, reference: Function, port: Function
) -> None:
    assert hinted(given, reference, port) == (0, "")
