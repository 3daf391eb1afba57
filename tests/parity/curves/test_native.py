"""Whole trainings: equivalent, different or undecided, and how often wrongly so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from recorded import trainings

from parity.curves import native
from parity.curves.comparison import Comparison

COMPARISON = Comparison()
ASKED = native.questions(COMPARISON)
RECORDED = Path(__file__).parents[3] / "docs" / "results"

SEEDS = np.arange(12)
ACCURACY = 37 + 0.6 * np.sin(SEEDS)
LOSS = 1.92 + 0.008 * np.cos(SEEDS)
"""Twelve trainings of a reference."""


def outcomes(accuracy: Sequence[float], loss: Sequence[float], seeds: int = 12) -> tuple[str, ...]:
    found = native.judge(
        trainings(ACCURACY[:seeds], LOSS[:seeds]), trainings(accuracy, loss), COMPARISON
    )
    return found.outcome, *(metric.outcome for metric in found.metrics)


def test_small_differences_over_many_seeds_are_equivalent() -> None:
    found = outcomes(ACCURACY + 0.3 * np.cos(2 * SEEDS), LOSS + 0.003 * np.sin(3 * SEEDS))
    assert found == ("equivalent",) * 3


def test_a_difference_in_one_metric_is_a_difference() -> None:
    found = outcomes(ACCURACY + 0.3 * np.cos(2 * SEEDS), LOSS + 0.05 + 0.003 * np.sin(3 * SEEDS))
    assert found == ("different", "equivalent", "different")


def test_a_real_difference_below_the_margin_counts_as_none() -> None:
    judged = native.judge(
        trainings(ACCURACY, LOSS),
        trainings(ACCURACY + 0.5 + 0.1 * np.cos(2 * SEEDS), LOSS + 1e-3 * np.sin(3 * SEEDS)),
        COMPARISON,
    )
    accuracy = judged.metrics[0]
    assert accuracy.p_different_holm is not None
    assert accuracy.p_different_holm < 1e-6
    assert judged.outcome == "equivalent"


def test_too_few_runs_decide_nothing_however_alike_they_look() -> None:
    one = outcomes(ACCURACY[:1], LOSS[:1], seeds=1)
    assert one == ("not enough runs to decide",) * 3
    # The same small differences that twelve seeds show to be small.
    apart = np.array([0.3, -0.1])
    two = outcomes(ACCURACY[:2] + apart, LOSS[:2] + 0.01 * apart, seeds=2)
    assert two[0] == "not enough runs to decide"


def test_what_is_undecided_says_how_many_runs_would_do() -> None:
    wide = 4 * np.cos(2 * SEEDS[:4])
    judged = native.judge(
        trainings(ACCURACY[:4], LOSS[:4]), trainings(ACCURACY[:4] + wide, LOSS[:4]), COMPARISON
    )
    accuracy = judged.metrics[0]
    assert accuracy.runs_needed is not None
    assert accuracy.runs_needed > 4
    assert accuracy.smallest_margin is not None
    assert accuracy.smallest_margin > accuracy.margin
    assert f"about {accuracy.runs_needed}" in judged.text


def test_the_same_arm_twice_is_equivalent() -> None:
    assert outcomes(ACCURACY, LOSS)[0] == "equivalent"


def sampling_error(rate: float, runs: int) -> float:
    return 3 * float(np.sqrt(rate * (1 - rate) / runs))


@pytest.mark.parametrize("seeds", [3, 6, 24])
def test_normal_trainings_are_wrongly_judged_no_more_often_than_alpha(seeds: int) -> None:
    runs, alpha = 20_000, COMPARISON.alpha
    generator = np.random.default_rng(0)
    spread = np.array([[1.2], [0.02]])
    ours, theirs = spread * generator.normal(size=(2, runs, 2, seeds))
    alike = native.overall(native.decide(ours, theirs, ASKED, alpha).outcomes)
    assert np.mean(alike == native.OUTCOMES.index("different")) <= alpha
    for i, question in enumerate(ASKED):
        moved = theirs.copy()
        moved[:, i] += question.margin
        found = native.overall(native.decide(ours, moved, ASKED, alpha).outcomes)
        wrong = np.mean(found == native.OUTCOMES.index("equivalent"))
        # At the margin itself the chance is alpha by design.
        assert wrong <= alpha + sampling_error(alpha, runs)


def test_a_difference_beyond_the_margin_is_seen_where_the_runs_suffice() -> None:
    generator = np.random.default_rng(1)
    spread = np.array([[0.8], [0.01]])
    ours, theirs = spread * generator.normal(size=(2, 2000, 2, 12))
    theirs[:, 1] += 2 * COMPARISON.loss_margin
    found = native.overall(native.decide(ours, theirs, ASKED, COMPARISON.alpha).outcomes)
    assert np.mean(found == native.OUTCOMES.index("different")) > 0.99


def test_resampling_a_reference_counts_false_alarms() -> None:
    values = np.array([ACCURACY[:6], LOSS[:6]])
    found = native.false_alarms(values, ASKED, COMPARISON.alpha)
    assert found.resamples >= 1000
    assert found.difference <= COMPARISON.alpha
    assert found.equivalence <= COMPARISON.alpha + sampling_error(0.05, found.resamples)
    # It measures something: a test that claims too readily is caught.
    eager = native.false_alarms(values, ASKED, 0.3)
    assert eager.equivalence > 0.2


def recorded_curves() -> list[list[float]]:
    """Test losses of the four trainings whose files are committed, ten epochs each."""
    files = [RECORDED / name for name in ("training.json", "training-seed-0.json")]
    runs = [run for file in files for run in json.loads(file.read_text())["runs"]]
    return [[record["test_loss"] for record in run["history"]] for run in runs]


def faster(losses: Sequence[float], epochs: int) -> np.ndarray:
    """What the first epochs are with a learning rate 10 % higher: each goes 10 % further.

    So it is for plain SGD with small steps: a step is the learning rate times the gradient.
    """
    untrained = float(np.log(10))
    at = np.arange(1, epochs + 1)
    return np.interp(1.1 * at, np.arange(len(losses) + 1), [untrained, *losses])


@pytest.mark.parametrize("epochs", [3, 9])
def test_a_learning_rate_ten_percent_higher_is_beyond_the_margin(epochs: int) -> None:
    """So that no number of trainings declares it equivalent."""
    changes = [
        float(np.mean(faster(losses, epochs) - losses[:epochs])) for losses in recorded_curves()
    ]
    assert abs(np.mean(changes)) > COMPARISON.loss_margin
