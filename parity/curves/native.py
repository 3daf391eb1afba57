"""Judges whole trainings from native initialisation. NumPy and SciPy only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from experiment.history import EpochRecord
from parity.curves import statistics
from parity.curves.comparison import Comparison
from parity.curves.results import FalseAlarms, Metric, Native, Outcome, Training
from parity.stages.case import count

RESAMPLES = 10_000
"""Comparisons of the reference with itself that the false-alarm rates are counted over."""

UNDECIDED: Outcome = "not enough runs to decide"

OUTCOMES: tuple[Outcome, ...] = ("equivalent", "different", UNDECIDED)
"""In arrays of outcomes each is its place here."""


class Question(NamedTuple):
    """What is compared, and how small a difference counts as none."""

    key: Literal["accuracy", "loss"]
    name: str
    unit: str
    margin: float


def questions(comparison: Comparison) -> tuple[Question, Question]:
    """The two metrics, with the margins that the comparison fixed."""
    return (
        Question("accuracy", "final test accuracy", "percentage points",
                 comparison.accuracy_margin),
        Question("loss", "area under the test-loss curve", "nats, mean over the epochs",
                 comparison.loss_margin),
    )  # fmt: skip


def value(key: str, epochs: Sequence[EpochRecord]) -> float:
    """The metric of one training: its last test accuracy in %, or its mean test loss."""
    if key == "accuracy":
        return 100 * epochs[-1].test_accuracy
    return float(np.mean([record.test_loss for record in epochs]))


def judge(
    reference: Sequence[Training], port: Sequence[Training], comparison: Comparison
) -> Native:
    """Equivalent, different, or not enough runs to decide. Both sides have the same seeds."""
    asked = questions(comparison)
    ours, theirs = (
        np.array([[value(q.key, training.epochs) for training in side] for q in asked])
        for side in (reference, port)
    )
    metrics = compare(ours, theirs, asked, comparison.alpha)
    outcome = OUTCOMES[int(overall(np.array([OUTCOMES.index(m.outcome) for m in metrics])))]
    enough = len(reference) > 2
    return Native(
        outcome=outcome,
        text=_text(outcome, metrics, len(reference)),
        metrics=metrics,
        false_alarms=false_alarms(ours, asked, comparison.alpha) if enough else None,
    )


def compare(
    reference: np.ndarray, port: np.ndarray, asked: Sequence[Question], alpha: float
) -> tuple[Metric, ...]:
    """Every question, with Holm's correction over all of them. Values: (questions, seeds)."""
    decided = decide(reference, port, asked, alpha)
    found = decided.found
    low, high = statistics.interval(found, alpha)
    # Both metrics have to be shown: Holm's first step asks this much of the better one.
    strict = alpha / len(asked)
    margins = statistics.smallest_margin(found, strict)
    same, other = statistics.holm(decided.equivalent), statistics.holm(decided.different)
    return tuple(
        Metric(
            key=q.key,
            name=q.name,
            unit=q.unit,
            margin=q.margin,
            reference=tuple(map(float, reference[i])),
            port=tuple(map(float, port[i])),
            mean_difference=float(found.mean[i]),
            spread=_known(found.spread[i]),
            interval=() if np.isnan(low[i]) else (float(low[i]), float(high[i])),
            p_equivalent=_known(decided.equivalent[i]),
            p_equivalent_holm=_known(same[i]),
            p_different=_known(decided.different[i]),
            p_different_holm=_known(other[i]),
            smallest_margin=_known(margins[i]),
            runs_needed=statistics.runs_needed(float(found.spread[i]), q.margin, strict),
            outcome=OUTCOMES[int(decided.outcomes[i])],
        )
        for i, q in enumerate(asked)
    )


class Decided(NamedTuple):
    """What the tests say of values (..., questions, seeds)."""

    found: statistics.Differences
    equivalent: np.ndarray
    """p, (..., questions)."""
    different: np.ndarray
    outcomes: np.ndarray
    """As places in `OUTCOMES`, (..., questions)."""


def decide(
    reference: np.ndarray, port: np.ndarray, asked: Sequence[Question], alpha: float
) -> Decided:
    """A difference that is shown to be smaller than the margin counts as none."""
    found = statistics.paired(reference, port)
    equivalent = statistics.p_equivalent(found, np.array([q.margin for q in asked]))
    different = statistics.p_different(found)
    # A comparison with NaN is false, so what cannot be tested stays undecided.
    outcomes = np.select(
        [statistics.holm(equivalent) <= alpha, statistics.holm(different) <= alpha],
        [OUTCOMES.index("equivalent"), OUTCOMES.index("different")],
        OUTCOMES.index(UNDECIDED),
    )
    return Decided(found, equivalent, different, outcomes)


def overall(outcomes: np.ndarray) -> np.ndarray:
    """Of (..., questions): one difference is a difference; equivalent are those that all are."""
    different, equivalent = OUTCOMES.index("different"), OUTCOMES.index("equivalent")
    return np.select(
        [(outcomes == different).any(axis=-1), (outcomes == equivalent).all(axis=-1)],
        [different, equivalent],
        OUTCOMES.index(UNDECIDED),
    )


def false_alarms(
    reference: np.ndarray, asked: Sequence[Question], alpha: float, resamples: int = RESAMPLES
) -> FalseAlarms:
    """How often the outcome is wrong on the reference's own trainings (questions, seeds).

    Each resample draws both arms from the reference's seeds, with replacement, and judges them.
    Then one arm is moved by one metric's margin, up or down, the other metrics staying as they are:
    the least difference that must not be called equivalent, where it is hardest to see. Each metric
    in turn; the largest rate counts.
    """
    generator = np.random.default_rng(0)
    runs = reference.shape[-1]
    one, two = generator.integers(0, runs, (2, resamples, runs))
    drawn, again = (np.moveaxis(reference[:, chosen], 0, 1) for chosen in (one, two))
    up = generator.choice([-1.0, 1.0], (resamples, 1))
    alike = overall(decide(drawn, again, asked, alpha).outcomes)
    rates = []
    for i, q in enumerate(asked):
        moved = again.copy()
        moved[:, i] += up * q.margin
        found = overall(decide(drawn, moved, asked, alpha).outcomes)
        rates.append(float(np.mean(found == OUTCOMES.index("equivalent"))))
    return FalseAlarms(
        resamples=resamples,
        difference=float(np.mean(alike == OUTCOMES.index("different"))),
        equivalence=max(rates),
        alpha=alpha,
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _text(outcome: Outcome, metrics: Sequence[Metric], runs: int) -> str:
    said = "; ".join(f"{m.name}: {m.outcome}" for m in metrics)
    needs = [m.runs_needed for m in metrics if m.outcome == UNDECIDED]
    known = [need for need in needs if need is not None]
    if outcome != UNDECIDED:
        return f"{count(runs, 'training')} of each: {outcome} ({said})"
    if known and len(known) == len(needs) and max(known) > runs:
        more = f"a right port needs about {max(known)} at this spread"
    else:
        more = "more trainings are needed"
    return f"{count(runs, 'training')} of each: {outcome} ({said}); {more}"
