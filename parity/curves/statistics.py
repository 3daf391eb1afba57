"""The tests that a comparison is judged by. NumPy and SciPy only.

Trainings are paired by seed: with the same seed both frameworks see the same batches, so what the
order of the pictures does falls out of the difference. Two questions, each asked of the paired
differences by Student's t:

- *Equivalent?* Two one-sided tests (Schuirmann 1987): is the mean difference above -margin, and is
  it below +margin? The larger p counts: the burden of proof lies on equivalence.
- *Different?* The two-sided test of a mean difference of zero.

Several metrics are one family for each question, corrected by Holm (1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import optimize, stats

POWER = 0.8
"""Chance of showing equivalence that a number of runs is judged by."""

_DUST = 1e-12
"""A spread below this share of the values is rounding of the differences."""

_MOST_RUNS = 10_000


class Differences(NamedTuple):
    """What the paired differences of one metric are."""

    runs: int
    mean: float
    spread: float | None
    """Standard deviation; None for one run."""

    @property
    def testable(self) -> bool:
        """Whether Student's t can say anything of them."""
        return self.spread is not None and self.spread > 0

    @property
    def error(self) -> float:
        """Standard error of the mean, where they are testable."""
        assert self.spread is not None
        return self.spread / float(np.sqrt(self.runs))


def paired(reference: Sequence[float], port: Sequence[float]) -> Differences:
    """Port minus reference, by seed. Raises `ValueError` unless both have as many runs."""
    before, after = np.asarray(reference, float), np.asarray(port, float)
    if before.shape != after.shape or not before.size:
        raise ValueError(f"{before.size} runs beside {after.size}: expected as many, at least one")
    found = after - before
    spread = float(found.std(ddof=1)) if found.size > 1 else None
    if spread is not None and spread <= _DUST * max(np.abs(before).max(), np.abs(after).max()):
        spread = 0.0
    return Differences(found.size, float(found.mean()), spread)


def p_equivalent(found: Differences, margin: float) -> float | None:
    """TOST's p. None where there is nothing to test.

    Differences that are all exactly zero are equivalent. Differences that are all the same and not
    zero have no spread that could be weighed against the margin: None.
    """
    if not found.testable:
        return 0.0 if found.spread == 0 and found.mean == 0 else None
    below = stats.t.sf((found.mean + margin) / found.error, found.runs - 1)
    above = stats.t.cdf((found.mean - margin) / found.error, found.runs - 1)
    return float(max(below, above))


def p_different(found: Differences) -> float | None:
    """Student's p of a mean difference of zero, two-sided. None where there is nothing to test."""
    if not found.testable:
        return 1.0 if found.spread == 0 and found.mean == 0 else None
    return float(2 * stats.t.sf(abs(found.mean) / found.error, found.runs - 1))


def holm(values: Sequence[float | None]) -> list[float | None]:
    """The p values so adjusted that each may be compared with alpha; None counts as 1 and stays."""
    order = sorted(range(len(values)), key=lambda i: 1.0 if (p := values[i]) is None else p)
    adjusted: list[float | None] = [None] * len(values)
    least = 0.0
    for place, i in enumerate(order):
        p = values[i]
        least = max(least, min(1.0, (1.0 if p is None else p) * (len(values) - place)))
        adjusted[i] = None if p is None else least
    return adjusted


def interval(found: Differences, alpha: float) -> tuple[float, ...]:
    """Ends of the mean's confidence interval 1 - 2 alpha: what TOST looks at. () for none."""
    if not found.testable:
        return ()
    half = float(stats.t.isf(alpha, found.runs - 1)) * found.error
    return found.mean - half, found.mean + half


def smallest_margin(found: Differences, alpha: float) -> float | None:
    """The margin that a right port, with these runs and this spread, shows with `POWER`.

    Its true difference is zero. Each of the two tests fails in at most (1 - POWER) / 2 of all cases
    (noncentral t), so both succeed in POWER at least. None where there is no spread to go by.
    """
    if not found.testable:
        return None
    return found.error * _standard_errors(found.runs, alpha)


def runs_needed(found: Differences, margin: float, alpha: float) -> int | None:
    """With how many runs a right port would show `margin` with `POWER`, at this spread.

    None where there is no spread to go by, or where 10,000 runs would not do.
    """
    if not found.testable or found.spread is None:
        return None
    low, high = 1, 2
    while found.spread / np.sqrt(high) * _standard_errors(high, alpha) > margin:
        low, high = high, 2 * high
        if high > _MOST_RUNS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        enough = found.spread / np.sqrt(middle) * _standard_errors(middle, alpha) <= margin
        low, high = (low, middle) if enough else (middle, high)
    return high


def _standard_errors(runs: int, alpha: float) -> float:
    """How many standard errors the margin must be away."""
    freedom = runs - 1
    critical = float(stats.t.isf(alpha, freedom))

    def excess(distance: float) -> float:
        return float(stats.nct.sf(critical, freedom, distance)) - (1 + POWER) / 2

    high = 2 * critical + 2
    while excess(high) < 0:
        high *= 2
    return float(optimize.brentq(excess, 0.0, high))
