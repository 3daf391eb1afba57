"""The first epoch from shared weights: inside the reference's own noise, or where it leaves it."""

from __future__ import annotations

import numpy as np
import pytest

from parity.curves import shared

STEPS = np.arange(200)
REFERENCE = 2.3 - 0.002 * STEPS
GROWTH = 1e-7 * np.exp(STEPS / 25)
"""How rounding grows in a free run."""


def losses(size: float, seed: int) -> list[float]:
    signs = np.random.default_rng(seed).choice([-1, 1], len(STEPS))
    return list(REFERENCE + size * signs * GROWTH)


NOISE = [losses(1.0, seed) for seed in range(5)]


def test_a_port_that_rounds_otherwise_is_inside() -> None:
    found = shared.judge(0, list(REFERENCE), losses(3.0, 9), NOISE, factor=16)
    assert (found.outcome, found.first_outside) == ("inside", None)
    assert found.needed <= 3.001
    assert len(found.envelope) == len(STEPS)


def test_the_noise_runs_show_what_right_runs_need_among_one_another() -> None:
    assert shared.noise_needed(list(REFERENCE), NOISE) == pytest.approx([1.0] * 5)
    assert shared.noise_needed(list(REFERENCE), NOISE[:1]) == ()


def test_a_port_that_goes_farther_is_outside_from_its_first_such_step() -> None:
    port = losses(1.0, 9)
    for step in range(50, len(STEPS)):
        port[step] += 1e-3
    found = shared.judge(0, list(REFERENCE), port, NOISE, factor=16)
    assert (found.outcome, found.first_outside) == ("outside", 51)
    assert 51 <= found.worst_step <= 70
    assert "step 51 of 200" in found.text


def test_coming_back_does_not_help() -> None:
    port = list(REFERENCE)
    port[10] += 1e-2
    found = shared.judge(0, list(REFERENCE), port, NOISE, factor=16)
    assert found.first_outside == 11


def test_a_step_more_or_less_is_outside() -> None:
    found = shared.judge(0, list(REFERENCE), list(REFERENCE[:-1]), NOISE, factor=16)
    assert (found.outcome, found.first_outside) == ("outside", 200)
    assert found.text == "the port takes 199 steps in the first epoch, the reference 200"


def test_without_any_noise_the_rounding_of_a_loss_is_allowed() -> None:
    exact = [list(REFERENCE)]
    ulp = 2.0**-23 * 2
    near = shared.judge(0, list(REFERENCE), list(REFERENCE + 2 * ulp), exact, factor=16)
    far = shared.judge(0, list(REFERENCE), list(REFERENCE + 200 * ulp), exact, factor=16)
    assert (near.outcome, far.outcome) == ("inside", "outside")
