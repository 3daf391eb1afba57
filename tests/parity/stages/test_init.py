"""Initialisations are compared as distributions: wrong ones are seen, right ones never alarm."""

from __future__ import annotations

import numpy as np
import pytest

from parity.capture.capture_file import Capture
from parity.distributions import Finding, Sample, compare
from parity.evidence import LaneEvidence
from parity.stages.case import Case
from parity.stages.init import judge

FAN_IN = 27
BOUND = 1 / np.sqrt(FAN_IN)


def sample(values: np.ndarray, seed: int = 0) -> Sample:
    """As captures hold it: at most 4,096 values, and statistics over all."""
    values = values.ravel().astype(np.float32)
    statistics = {"count": values.size, "mean": values.mean(), "std": values.std(),
                  "min": values.min(), "max": values.max()}  # fmt: skip
    if values.size > 4096:
        values = np.random.default_rng(seed).choice(values, 4096, replace=False)
    return Sample.of(values, statistics)


def uniform(bound: float, size: int, seed: int) -> Sample:
    return sample(np.random.default_rng(seed).uniform(-bound, bound, size), seed)


def normal(std: float, size: int, seed: int) -> Sample:
    return sample(np.random.default_rng(seed).normal(0, std, size), seed)


@pytest.mark.parametrize("size", [160, 1024, 27648, 500_000])
@pytest.mark.parametrize("seed", range(20))
def test_right_ones_never_alarm(size: int, seed: int) -> None:
    assert compare(uniform(BOUND, size, seed), uniform(BOUND, size, 100 + seed)).agrees
    assert compare(normal(1.0, size, seed), normal(1.0, size, 100 + seed)).agrees


def test_right_ones_of_other_counts_never_alarm() -> None:
    for seed in range(20):
        assert compare(uniform(BOUND, 400, seed), uniform(BOUND, 90_000, 50 + seed)).agrees


@pytest.mark.parametrize("size", [1024, 27648])
def test_wrong_ones_are_seen(size: int) -> None:
    right = uniform(BOUND, size, 0)
    lecun = normal(np.sqrt(1 / FAN_IN), size, 1)
    he_uniform = uniform(np.sqrt(6 / FAN_IN), size, 1)
    assert right.std / lecun.std == pytest.approx(0.577, abs=0.05)
    for wrong in (lecun, he_uniform, sample(np.zeros(size)), uniform(BOUND * 1.5, size, 1)):
        assert not compare(right, wrong).agrees


def test_same_spread_in_another_shape_is_seen() -> None:
    right = uniform(BOUND, 27648, 0)
    assert not compare(right, normal(right.std, 27648, 1)).agrees


def test_constants_must_be_equal() -> None:
    quarter, hundredth = sample(np.full(16, 0.25)), sample(np.full(16, 0.01))
    assert compare(quarter, quarter).agrees
    found = compare(quarter, hundredth)
    assert not found.agrees
    assert found.text == "always 0.01, reference always 0.25"


def test_too_few_values_say_so() -> None:
    found: Finding = compare(uniform(1, 20, 0), uniform(1, 20, 1))
    assert found.too_few
    assert "only 20 values" in found.text
    assert not compare(uniform(1, 20, 0), sample(np.zeros(20))).agrees


def test_a_tensor_that_the_bridge_makes_up_is_not_compared() -> None:
    drawn = np.sort(np.random.default_rng(0).uniform(-1, 1, 400)).astype(np.float32)
    sides = {"reference": drawn, "port": np.zeros_like(drawn)}
    captures = [
        Capture(
            {"lane": "float64", "made_up": {"lstm.bias_hh_l0": "two biases become their sum"},
             "init": {"lstm.bias_hh_l0": {
                 "count": 400, "seeds": 16, "mean": float(values.mean()),
                 "std": float(values.std()), "min": float(values.min()),
                 "max": float(values.max())}}},
            {"init/lstm.bias_hh_l0": values},
        )
        for values in sides.values()
    ]  # fmt: skip
    result = judge(Case(LaneEvidence("float64", *captures)))
    assert result.status == "pass"
    assert [row.status for row in result.rows] == ["not compared"]
    assert "two biases become their sum" in result.notes[0]
    captures[1].about["made_up"] = {}
    assert judge(Case(LaneEvidence("float64", *captures))).status == "fail"
