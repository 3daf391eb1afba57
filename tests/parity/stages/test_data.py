"""What loaders do differently is found and said in words."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from parity.capture.capture_file import Capture
from parity.evidence import LaneEvidence
from parity.judge import judge
from parity.verdict import StageResult

Batches = list[tuple[np.ndarray, np.ndarray]]


def batches(sizes: tuple[int, ...] = (4, 4, 2)) -> Batches:
    """An epoch of pictures (n, 3, 4, 4) and classes."""
    random = np.random.default_rng(3)
    return [
        (random.integers(0, 256, (n, 3, 4, 4)).astype(np.float32) / 255, random.integers(0, 9, n))
        for n in sizes
    ]


def recorded(epoch: Batches) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The epoch as a capture has it."""
    arrays = {}
    for i in (0, 1, len(epoch) - 1):
        arrays[f"data/1/{i}/input/0"], arrays[f"data/1/{i}/target/0"] = epoch[i]
    digests = [hashlib.sha256(x.tobytes() + t.tobytes()).hexdigest() for x, t in epoch]
    return arrays, {"data": {"1": digests}, "sizes": {"1": [len(t) for _, t in epoch]}}


@pytest.fixture
def data(
    reference: Capture, port: Capture, edit: Callable[..., Capture]
) -> Callable[[Batches], StageResult]:
    """The stage's result for a port that hands these batches out."""

    def result(theirs: Batches) -> StageResult:
        ours_arrays, ours = recorded(batches())
        arrays, about = recorded(theirs)
        pair = edit(reference, ours_arrays, **ours), edit(port, arrays, **about)
        verdict = judge([LaneEvidence("float64", *pair)], ["data"])
        return next(r for r in verdict.results if r.stage == "data")

    return result


def changed(change: Callable[[np.ndarray], np.ndarray]) -> Batches:
    return [(change(x), t) for x, t in batches()]


def test_equal_loaders_pass(data: Callable[[Batches], StageResult]) -> None:
    assert data(batches()).status == "pass"


@pytest.mark.parametrize(
    ("wrong", "words", "bug"),
    [
        (batches()[:2], "last batch dropped", 53),
        ([*batches()[1::-1], batches()[2]], "same batches in another order", 53),
        ([(x[::-1], t[::-1]) for x, t in batches()], "same inputs in another order", 53),
        (changed(lambda x: x * np.float32(255 / 256)), "divided by 256", 54),
        (changed(lambda x: x[:, ::-1]), "BGR", 54),
        (changed(lambda x: x.astype(np.float16)), "float16", 54),
        (changed(lambda x: x.astype(np.float16).astype(x.dtype)), "rounded to float16", 54),
        (changed(lambda x: (x - np.float32(0.4)) / np.float32(0.2)), "normalised", 55),
    ],
)
def test_difference_is_named(
    data: Callable[[Batches], StageResult], wrong: Batches, words: str, bug: int
) -> None:
    result = data(wrong)
    assert result.status == "fail"
    assert result.departure is not None
    assert words in result.departure.text
    assert result.departure.hint is not None
    assert result.departure.hint.bug == bug


def test_no_loaders_is_a_skip(reference: Capture, port: Capture) -> None:
    verdict = judge([LaneEvidence("float64", reference, port)], ["data"])
    result = next(r for r in verdict.results if r.stage == "data")
    assert result.status == "skipped"
