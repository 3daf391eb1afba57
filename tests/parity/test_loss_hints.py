"""Patterns of cross-entropies that are smoothed or averaged otherwise."""

from __future__ import annotations

import numpy as np

from parity.capture.capture_file import Capture
from parity.evidence import LaneEvidence
from parity.hints import find_hint
from parity.hints.losses import cross_entropy, softmax
from parity.stages.case import Case
from parity.verdict import Departure, Row

RANDOM = np.random.default_rng(4)
LOGITS = RANDOM.normal(size=(6, 5))
CLASSES = np.array([0, 1, 2, 3, 4, 1])
IGNORED = np.array([-100, 1, 2, -100, 4, 1])
WEIGHTS = np.array([0.5, 1.0, 2.0, 4.0, 1.5])


def slope(targets: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """d loss / d logits where each example's cross-entropy has a share of the loss."""
    counts = targets >= 0
    apart = softmax(LOGITS) - np.eye(5)[np.where(counts, targets, 0)]
    return apart * np.where(counts, shares, 0)[:, None]


def hinted(
    reference: float, port: float, targets: np.ndarray = CLASSES,
    slopes: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[int, str]:  # fmt: skip
    """The bug that the hint names for a loss that departs, and its text; 0 for none."""
    arrays = {"train/output/0": LOGITS, "target/0": targets, "input/0": LOGITS}
    sides = []
    for value, i in ((reference, 0), (port, 1)):
        own = {"forced/cotangent/output/0": slopes[i]} if slopes else {}
        sides.append({**arrays, **own, "train/loss": np.asarray(value)})
    evidence = LaneEvidence(
        "float64", Capture({"lane": "float64"}, sides[0]), Capture({}, sides[1])
    )
    row = Row(name="train/loss", what="", run="train")
    departure = Departure(stage="loss", lane="float64", place="output", text="", row=row)
    hint = find_hint(Case(evidence), departure)
    return (hint.bug, hint.text) if hint else (0, "")


def smoothed(share: float, right: float, other: float) -> float:
    """Cross-entropy with targets of `right` for the class and `other` for each other one."""
    one_hot = np.eye(5)[CLASSES]
    targets = (1 - share) * one_hot + share * (one_hot * right + (1 - one_hot) * other)
    return float(-(targets * np.log(softmax(LOGITS))).sum(1).mean())


def test_smoothing_over_the_other_classes() -> None:
    bug, text = hinted(smoothed(0.1, 1 / 5, 1 / 5), smoothed(0.1, 0, 1 / 4))
    assert bug == 36
    assert text.startswith("label smoothing of 0.1 goes to the 4 other classes")


def test_another_share_of_smoothing_is_no_such_pattern() -> None:
    assert hinted(smoothed(0.1, 1 / 5, 1 / 5), smoothed(0.2, 1 / 5, 1 / 5)) == (0, "")


def test_a_loss_that_is_no_number_has_no_such_pattern() -> None:
    assert hinted(smoothed(0.1, 1 / 5, 1 / 5), float("nan")) == (0, "")


def test_weights_divided_by_the_number_of_examples() -> None:
    weights = WEIGHTS[CLASSES]
    slopes = slope(CLASSES, weights / weights.sum()), slope(CLASSES, weights / 6)
    bug, text = hinted(1.0, weights.sum() / 6, slopes=slopes)
    assert bug == 39
    assert text.startswith(f"every example has {weights.sum() / 6:.6g} times the share")


def test_weights_left_out() -> None:
    weights = WEIGHTS[CLASSES]
    slopes = slope(CLASSES, weights / weights.sum()), slope(CLASSES, np.full(6, 1 / 6))
    assert hinted(1.0, 1.1, slopes=slopes)[0] == 39


def test_ignored_examples_that_count_in_the_mean() -> None:
    slopes = slope(IGNORED, np.full(6, 1 / 4)), slope(IGNORED, np.full(6, 1 / 6))
    bug, text = hinted(1.2, 0.8, IGNORED, slopes)
    assert bug == 39
    assert text == "2 examples of class -100 count in the port's mean (ignore_index)"


def test_another_scale_of_a_plain_cross_entropy_is_no_such_pattern() -> None:
    slopes = slope(CLASSES, np.full(6, 1 / 6)), slope(CLASSES, np.full(6, 0.3))
    assert hinted(cross_entropy(LOGITS, CLASSES), 0.7, slopes=slopes) == (0, "")
