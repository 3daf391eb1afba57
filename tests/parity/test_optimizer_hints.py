"""Optimizers that divide by roots of squares, and clipping: constants read, variants told."""

from __future__ import annotations

import numpy as np
import pytest

from parity.hints.clipping import clipping
from parity.hints.optimizers import History
from parity.hints.root_variants import Constants, root_changes, root_constants, step

RANDOM = np.random.default_rng(0)
RATE, STEPS = 1e-2, 3
RMSPROP = Constants(decay=0.99)
ADAGRAD = Constants(eps=1e-10)


def history(constants: Constants) -> History:
    """Three steps of a tensor with small gradients; slots as PyTorch keeps them."""
    before = [RANDOM.normal(size=(4, 3))]
    gradients: list[np.ndarray] = []
    changes: list[np.ndarray] = []
    slots: dict[str, list[np.ndarray]] = {"square_avg": [], "sum": []}
    square = np.full((4, 3), constants.start)
    for _ in range(STEPS):
        gradients = [*gradients, RANDOM.normal(size=(4, 3)) * 1e-4]
        if constants.decay is None:
            square = square + gradients[-1] ** 2
            slots["sum"].append(square)
        else:
            square = constants.decay * square + (1 - constants.decay) * gradients[-1] ** 2
            slots["square_avg"].append(square)
        taken = History(before, gradients, [RATE] * len(gradients), changes, slots)
        changes = [*changes, step(taken, constants)]
        before = [*before, before[-1] + changes[-1]]
    return History(before[:-1], gradients, [RATE] * STEPS, changes, slots)


@pytest.mark.parametrize(
    "constants",
    [RMSPROP, Constants(decay=0.9, eps=1e-6), ADAGRAD, Constants(eps=1e-10, start=0.5)],
)
def test_constants_are_read_from_the_reference(constants: Constants) -> None:
    assert root_constants(history(constants)) == constants


def test_steps_that_have_more_to_them_are_not_explained() -> None:
    found = history(RMSPROP)
    found.changes[-1] += 1e-6
    assert root_constants(found) is None


@pytest.mark.parametrize(
    ("truth", "wrong", "words"),
    [
        (RMSPROP, Constants(decay=0.9), "RMSprop with decay 0.9 instead of 0.99"),
        (RMSPROP, Constants(decay=0.99, root=True), "RMSprop with eps inside the square root"),
        (RMSPROP, Constants(decay=0.99, start=1.0), "whose squares start at 1 instead of 0"),
        (ADAGRAD, Constants(eps=1e-7, start=0.1, root=True), "Adagrad whose squares start at 0.1"),
    ],
)
def test_variants_are_recognised(truth: Constants, wrong: Constants, words: str) -> None:
    found = history(truth)
    port = step(found, wrong)
    fitting = [
        text
        for bug, text, change in root_changes(found, truth)
        if np.allclose(change, port, rtol=1e-9, atol=0) and bug == 49
    ]
    assert words in fitting[0]


GRADIENTS = [RANDOM.normal(size=(4, 3)), RANDOM.normal(size=4)]
NORM = float(np.sqrt(sum((g**2).sum() for g in GRADIENTS)))


def test_clipping_means_a_limit_that_somebody_chose() -> None:
    by_torch, by_optax = 0.25 / (NORM + 1e-6), 0.25 / NORM
    assert "the reference limits the norm" in clipping(GRADIENTS, 1 / by_torch)
    assert "to 0.25; the port does not" in clipping(GRADIENTS, 1 / by_torch)
    assert "the port limits the norm" in clipping(GRADIENTS, by_optax)


@pytest.mark.parametrize("times", [2.0, 4.0, 0.5, 1 / 3, 10.0])
def test_other_factors_are_no_clipping(times: float) -> None:
    assert clipping(GRADIENTS, times) == ""
