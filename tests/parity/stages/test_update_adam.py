"""Adam: its constants are read from the reference, and the rules people take for it are told."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from parity.hints.adam_variants import Constants, adam_changes, adam_constants, step
from parity.hints.optimizers import History

RATE, STEPS = 1e-3, 3


@pytest.fixture
def history() -> Callable[[Constants], History]:
    """Three steps of a tensor under an Adam, with its slots, written out by PyTorch's formula."""

    def build(constants: Constants) -> History:
        random = np.random.default_rng(0)
        parameter, before, gradients, changes = random.normal(size=(4, 3)), [], [], []
        slots: dict[str, list[np.ndarray]] = {"exp_avg": [], "exp_avg_sq": []}
        mean = square = np.zeros((4, 3))
        for _ in range(STEPS):
            gradient = random.normal(size=(4, 3)) * 0.01
            before, gradients = [*before, parameter], [*gradients, gradient]
            given = gradient + constants.l2 * parameter
            mean = constants.beta1 * mean + (1 - constants.beta1) * given
            square = constants.beta2 * square + (1 - constants.beta2) * given**2
            slots["exp_avg"].append(mean)
            slots["exp_avg_sq"].append(square)
            partial = History(before, gradients, [RATE] * len(before), changes, slots)
            changes = [*changes, step(partial, constants)]
            parameter = parameter + changes[-1]
        return History(before, gradients, [RATE] * STEPS, changes, slots)

    return build


@pytest.mark.parametrize(
    "constants",
    [Constants(beta1=0.9, beta2=0.999), Constants(beta1=0.8, beta2=0.99, l2=0.01),
     Constants(beta1=0.9, beta2=0.999, decoupled=0.01), Constants(beta1=0.9, beta2=0.95, eps=1e-5)],
)  # fmt: skip
def test_constants_are_read_from_the_reference(
    history: Callable[[Constants], History], constants: Constants
) -> None:
    found = adam_constants(history(constants))
    assert found is not None
    for name in ("beta1", "beta2", "l2", "decoupled"):
        expected = getattr(constants, name)
        assert getattr(found, name) == pytest.approx(expected, rel=1e-5, abs=1e-8)
    assert found.eps == constants.eps


@pytest.mark.parametrize(
    ("wrong", "words"),
    [(Constants(beta1=0.9, beta2=0.999, decoupled=0.01), "AdamW's decay"),
     (Constants(beta1=0.9, beta2=0.999), "without weight decay"),
     (Constants(beta1=0.9, beta2=0.999, l2=0.01, root=True), "eps inside")],
)  # fmt: skip
def test_variants_are_recognised(
    history: Callable[[Constants], History], wrong: Constants, words: str
) -> None:
    truth = Constants(beta1=0.9, beta2=0.999, l2=0.01)
    found = history(truth)
    port = step(found, wrong)
    fitting = [text for _, text, change in adam_changes(found, truth) if np.allclose(change, port)]
    assert any(words in text for text in fitting)
