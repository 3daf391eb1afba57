"""The statistics of a comparison, against SciPy's own tests, published numbers and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from parity.curves import statistics

ONE = np.array([37.1, 36.2, 38.0, 35.9, 37.7, 36.6])
OTHER = np.array([36.8, 36.9, 37.2, 36.4, 37.9, 35.8])


def test_tost_is_two_one_sided_t_tests_of_the_paired_differences() -> None:
    found = statistics.p_equivalent(statistics.paired(ONE, OTHER), np.array(1.0))
    difference = OTHER - ONE
    above = stats.ttest_1samp(difference, -1.0, alternative="greater").pvalue
    below = stats.ttest_1samp(difference, 1.0, alternative="less").pvalue
    assert found == pytest.approx(max(above, below), rel=1e-12)


def test_difference_is_the_paired_t_test() -> None:
    found = statistics.p_different(statistics.paired(ONE, OTHER))
    assert found == pytest.approx(stats.ttest_rel(OTHER, ONE).pvalue, rel=1e-12)


def test_the_interval_lies_inside_the_margins_exactly_where_tost_claims_equivalence() -> None:
    alpha, found = 0.05, statistics.paired(ONE, OTHER)
    low, high = statistics.interval(found, alpha)
    for margin in np.linspace(0.1, 1.5, 57):
        inside = -margin < low and high < margin
        assert inside == (statistics.p_equivalent(found, np.array(margin)) <= alpha)


def test_holm_adjusts_step_by_step() -> None:
    # Holm (1979): times 4, 3, 2, 1 from the smallest on, never falling.
    adjusted = statistics.holm(np.array([0.01, 0.04, 0.03, 0.005]))
    np.testing.assert_allclose(adjusted, [0.03, 0.06, 0.06, 0.02])


def test_what_cannot_be_tested_weighs_on_the_others_and_stays_unknown() -> None:
    adjusted = statistics.holm(np.array([np.nan, 0.02]))
    assert np.isnan(adjusted[0])
    assert adjusted[1] == 0.04


def test_one_run_says_nothing() -> None:
    found = statistics.paired(np.array([1.0]), np.array([1.0]))
    assert np.isnan(statistics.p_equivalent(found, np.array(1.0)))
    assert np.isnan(statistics.p_different(found))
    assert np.isnan(statistics.smallest_margin(found, 0.05))


def test_equal_curves_are_equivalent_and_equal_differences_are_no_evidence() -> None:
    same = statistics.paired(ONE, ONE.copy())
    assert statistics.p_equivalent(same, np.array(1.0)) == 0
    assert statistics.p_different(same) == 1
    shifted = statistics.paired(ONE, ONE + 0.1)  # without spread, but for rounding
    assert shifted.spread == 0
    assert np.isnan(statistics.p_equivalent(shifted, np.array(1.0)))
    assert np.isnan(statistics.p_different(shifted))


def test_runs_must_be_paired() -> None:
    with pytest.raises(ValueError, match="as many"):
        statistics.paired(ONE, OTHER[:3])


@pytest.mark.parametrize("runs", [3, 6, 12])
def test_a_right_port_shows_the_smallest_margin_with_the_power_that_is_promised(runs: int) -> None:
    generator = np.random.default_rng(0)
    differences = generator.normal(0, 2.0, (20_000, runs))
    found = statistics.paired(np.zeros_like(differences), differences)
    exact = statistics.Differences(runs, np.array(0.0), np.array(2.0))
    margin = statistics.smallest_margin(exact, 0.025)
    shown = np.mean(statistics.p_equivalent(found, margin) <= 0.025)
    # The bound that is used is conservative; it is no more than a few percent so.
    assert statistics.POWER - 0.01 <= shown <= statistics.POWER + 0.05


def test_runs_needed_is_the_least_number_whose_margin_is_small_enough() -> None:
    runs = statistics.runs_needed(2.0, 1.5, 0.025)
    assert runs is not None

    def margin(n: int) -> float:
        known = statistics.Differences(n, np.array(0.0), np.array(2.0))
        return float(statistics.smallest_margin(known, 0.025))

    assert margin(runs) <= 1.5 < margin(runs - 1)
    assert statistics.runs_needed(float("nan"), 1.5, 0.025) is None
    assert statistics.runs_needed(1e6, 1.5, 0.025) is None
