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

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import optimize, stats

POWER = 0.8
"""Chance of showing equivalence that a number of runs is judged by."""

_DUST = 1e-12
"""A spread below this share of the values is rounding of the differences."""

_MOST_RUNS = 10_000


class Differences(NamedTuple):
    """What the paired differences of some metrics are; NaN where there is nothing to say."""

    runs: int
    mean: Float[np.ndarray, " ..."]
    spread: Float[np.ndarray, " ..."]
    """Standard deviation."""

    @property
    def error(self) -> Float[np.ndarray, " ..."]:
        """Standard error of the mean; NaN where Student's t can say nothing: without spread."""
        return np.where(self.spread > 0, self.spread, np.nan) / np.sqrt(self.runs)

    @property
    def nothing(self) -> Float[np.ndarray, " ..."]:
        """Where all differences are exactly zero, in two runs or more."""
        return (self.spread == 0) & (self.mean == 0)


def paired(
    reference: Float[np.ndarray, "... runs"], port: Float[np.ndarray, "... runs"]
) -> Differences:
    """Port minus reference, by seed. Raises `ValueError` unless both have as many runs."""
    before, after = np.asarray(reference, float), np.asarray(port, float)
    if before.shape != after.shape or not before.shape[-1]:
        raise ValueError(f"runs {before.shape} beside {after.shape}: expected as many")
    found, runs = after - before, before.shape[-1]
    if runs == 1:
        return Differences(1, found[..., 0], np.full(found.shape[:-1], np.nan))
    spread = found.std(axis=-1, ddof=1)
    size = np.maximum(np.abs(before), np.abs(after)).max(axis=-1)
    return Differences(runs, found.mean(axis=-1), np.where(spread <= _DUST * size, 0.0, spread))


def p_equivalent(
    found: Differences, margin: Float[np.ndarray, " ..."]
) -> Float[np.ndarray, " ..."]:
    """TOST's p; NaN where there is nothing to test.

    Differences that are all exactly zero are equivalent. Differences that are all the same and not
    zero have no spread that could be weighed against the margin: NaN.
    """
    below = stats.t.sf((found.mean + margin) / found.error, found.runs - 1)
    above = stats.t.cdf((found.mean - margin) / found.error, found.runs - 1)
    return np.where(found.nothing, 0.0, np.maximum(below, above))


def p_different(found: Differences) -> Float[np.ndarray, " ..."]:
    """Student's p of a mean difference of zero, two-sided; NaN where there is nothing to test."""
    p = 2 * stats.t.sf(np.abs(found.mean) / found.error, found.runs - 1)
    return np.where(found.nothing, 1.0, p)


def holm(p: Float[np.ndarray, "... family"]) -> Float[np.ndarray, "... family"]:
    """The p values so adjusted that each may be compared with alpha; NaN counts as 1 and stays."""
    known = np.where(np.isnan(p), 1.0, p)
    order = np.argsort(known, axis=-1, kind="stable")
    steps = np.arange(p.shape[-1], 0, -1)
    rising = np.maximum.accumulate(np.take_along_axis(known, order, -1) * steps, axis=-1)
    adjusted = np.empty_like(known)
    np.put_along_axis(adjusted, order, np.minimum(rising, 1.0), -1)
    return np.where(np.isnan(p), np.nan, adjusted)


def interval(
    found: Differences, alpha: float
) -> tuple[Float[np.ndarray, " ..."], Float[np.ndarray, " ..."]]:
    """Ends of the mean's confidence interval 1 - 2 alpha, what TOST looks at; NaN for none."""
    half = stats.t.isf(alpha, found.runs - 1) * found.error
    return found.mean - half, found.mean + half


def smallest_margin(found: Differences, alpha: float) -> Float[np.ndarray, " ..."]:
    """The margin that a right port, with these runs and this spread, shows with `POWER`.

    Its true difference is zero. Each of the two tests fails in at most (1 - POWER) / 2 of all cases
    (noncentral t), so both succeed in POWER at least. NaN where there is no spread to go by.
    """
    if found.runs < 2:
        return np.full(found.mean.shape, np.nan)
    return found.error * _standard_errors(found.runs, alpha)


def runs_needed(spread: float, margin: float, alpha: float) -> int | None:
    """With how many runs a right port would show `margin` with `POWER`, at this spread.

    None where there is no spread to go by, or where 10,000 runs would not do.
    """

    def enough(runs: int) -> bool:
        return spread / np.sqrt(runs) * _standard_errors(runs, alpha) <= margin

    if not spread > 0:
        return None
    low, high = 1, 2
    while not enough(high):
        low, high = high, 2 * high
        if high > _MOST_RUNS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
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
