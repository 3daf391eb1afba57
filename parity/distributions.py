"""Whether two samples come from one distribution, at a known false-alarm rate. NumPy only.

Four tests, each with the probability `FALSE_ALARM` of failing on equal distributions:

- the largest distance of the empirical distribution functions (two-sample Kolmogorov-Smirnov, with
  the bound 2 exp(-2 D^2 nm / (n + m)) on its tail), which sees any shape;
- the ratio of the standard deviations, whose logarithm has the variance (kurtosis - 1) / 4n: much
  sharper for a wrong scale;
- the difference of the means in their standard errors;
- for flat-topped samples (kurtosis below 2.2, as of a uniform distribution) the range: n values of
  a uniform distribution leave at most ln(1 / FALSE_ALARM) / n of it uncovered at either end.

Every statistic is given as a share of its bound, so 1 is the limit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

FALSE_ALARM = 1e-9
"""Of each test of each tensor: a thousand tensors in a thousand verdicts give 4 in a thousand."""

_Z = 6.11
"""Standard deviations that a normal variable exceeds with `FALSE_ALARM`, both sides together."""

_LOG = math.log(1 / FALSE_ALARM)

_FLAT = 2.2
"""Kurtosis: 1.8 for a uniform distribution, 3 for a normal one."""

TOO_FEW = 64
"""Fewer values than that on either side: the tests still run, but see little but gross faults."""

_CONSTANT = 1e-6
"""Relative: constants agree if they are the same number in float32."""


@dataclass(frozen=True)
class Sample:
    """A sorted sample of values, and statistics over all of them."""

    values: np.ndarray
    count: int
    mean: float
    std: float
    least: float
    most: float

    @classmethod
    def of(cls, values: np.ndarray, statistics: Mapping[str, Any]) -> Sample:
        """From a capture's `init/NAME` and header."""
        keys = ("mean", "std", "min", "max")
        return cls(
            np.sort(values.astype(np.float64).ravel()),
            int(statistics["count"]),
            *(float(statistics[key]) for key in keys),
        )

    @property
    def constant(self) -> bool:
        """All values are one number."""
        return self.least == self.most

    @property
    def kurtosis(self) -> float:
        """Fourth central moment over the squared variance; at least 1, for any distribution."""
        apart = self.values - self.values.mean()
        variance = float((apart**2).mean())
        return max(float((apart**4).mean()) / variance**2, 1.0) if variance else 1.0

    @property
    def std_error(self) -> float:
        """The standard deviation of the estimated `std`'s logarithm."""
        return math.sqrt((self.kurtosis - 1) / (4 * self.count) + 1 / self.count**2)


@dataclass(frozen=True)
class Finding:
    """What the tests say. `statistic` is the largest share of its bound; above 1 they differ."""

    statistic: float
    text: str
    too_few: bool = False

    @property
    def agrees(self) -> bool:
        """No test alarmed."""
        return self.statistic <= 1


def compare(reference: Sample, port: Sample) -> Finding:
    """Run the tests that apply."""
    if reference.constant or port.constant:
        return _constants(reference, port)
    found = [_spread(reference, port), _centre(reference, port), _shape(reference, port)]
    found += _range(reference, port)
    worst = max(found, key=lambda finding: finding.statistic)
    few = min(reference.count, port.count)
    if few < TOO_FEW and worst.agrees:
        text = f"only {few} values; that shows gross faults alone, and none was found"
        return Finding(worst.statistic, text, too_few=True)
    alarmed = [finding.text for finding in found if not finding.agrees]
    return Finding(worst.statistic, "; ".join(alarmed))


def _constants(reference: Sample, port: Sample) -> Finding:
    if reference.constant and port.constant:
        same = abs(port.mean - reference.mean) <= _CONSTANT * max(abs(reference.mean), 1e-30)
        text = f"always {port.mean:g}, reference always {reference.mean:g}"
        return Finding(0.0 if same else math.inf, text)
    one, other = _words(port), _words(reference)
    # A single drawn value is constant too: that says nothing of how it was drawn.
    if min(reference.count, port.count) < 2:
        return Finding(0.0, "only one value; that shows nothing", too_few=True)
    return Finding(math.inf, f"{one}, reference {other}")


def _words(sample: Sample) -> str:
    if sample.constant:
        return f"always {sample.mean:g}"
    return f"drawn, from {sample.least:.4g} to {sample.most:.4g}"


def _spread(reference: Sample, port: Sample) -> Finding:
    error = math.hypot(reference.std_error, port.std_error)
    ratio = port.std / reference.std
    text = (
        f"standard deviation {port.std:.4g}, {ratio:.3g} times the reference's {reference.std:.4g}"
    )
    return Finding(abs(math.log(ratio)) / (_Z * error), text)


def _centre(reference: Sample, port: Sample) -> Finding:
    error = math.sqrt(sum(sample.std**2 / sample.count for sample in (reference, port)))
    text = f"mean {port.mean:.4g}, reference {reference.mean:.4g}"
    return Finding(abs(port.mean - reference.mean) / (_Z * error), text)


def _shape(reference: Sample, port: Sample) -> Finding:
    one, two = reference.values, port.values
    grid = np.concatenate([one, two])
    apart = np.abs(
        np.searchsorted(one, grid, side="right") / len(one)
        - np.searchsorted(two, grid, side="right") / len(two)
    )
    distance = float(apart.max())
    bound = math.sqrt((math.log(2) + _LOG) / 2 * (1 / len(one) + 1 / len(two)))
    return Finding(distance / bound, f"distribution functions are {distance:.2g} apart")


def _range(reference: Sample, port: Sample) -> list[Finding]:
    if reference.kurtosis > _FLAT:
        return []
    width = reference.most - reference.least
    slack = width * _LOG / min(reference.count, port.count)
    apart = max(abs(port.most - reference.most), abs(port.least - reference.least))
    text = (
        f"from {port.least:.4g} to {port.most:.4g}, reference from {reference.least:.4g} to "
        f"{reference.most:.4g}"
    )
    return [Finding(apart / slack, text)]
