"""Patterns of batch norms that take other statistics, or lose the digits of the variance."""

from __future__ import annotations

import numpy as np
import pytest

from parity.bridge.structure import ModuleSpec, Structure
from parity.capture.capture_file import Capture
from parity.evidence import LaneEvidence
from parity.hints import find_hint
from parity.stages.case import Case
from parity.verdict import Departure, Row

RANDOM = np.random.default_rng(3)
WEIGHT, BIAS = RANDOM.normal(size=(2, 4))
MEAN, VARIANCE = RANDOM.normal(size=4), RANDOM.uniform(0.5, 1.5, 4)
NEAR = RANDOM.normal(size=(7, 4, 3))
FAR = NEAR + 10_000


def normalised(x: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """What a batch-norm returns; x is (n, c, l)."""
    y = (x - mean[:, None]) / np.sqrt(variance[:, None] + 1e-5)
    return y * WEIGHT[:, None] + BIAS[:, None]


def by_batch(x: np.ndarray) -> np.ndarray:
    return normalised(x, x.mean((0, 2)), x.var((0, 2)))


def by_fast_variance(x: np.ndarray) -> np.ndarray:
    mean = x.mean((0, 2))
    return normalised(x, mean, np.square(x).mean((0, 2)) - np.square(mean))


def hinted(x: np.ndarray, reference: np.ndarray, port: np.ndarray, run: str = "train") -> int:
    """The bug that the hint names for a batch-norm that departs in a pass; 0 for none."""
    module = ModuleSpec("bn", "torch.nn.BatchNorm1d", settings={"eps": 1e-5})
    about = {"structure": Structure("torch", (module,)).to_json(), "lane": "float64"}
    name = f"{run}/exit/bn#0/0"
    given = {f"{run}/enter/bn#0/0": x, "weight/bn.weight": WEIGHT, "weight/bn.bias": BIAS,
             "weight/bn.running_mean": MEAN, "weight/bn.running_var": VARIANCE}  # fmt: skip
    ours = Capture(about, {**given, name: reference})
    case = Case(LaneEvidence("float64", ours, Capture({}, {**given, name: port})))
    row = Row(name=name, what=name, run=run, layer="bn")
    departure = Departure(
        stage="forward", lane="float64", place="output", text="", layer="bn", row=row
    )
    hint = find_hint(case, departure)
    return hint.bug if hint else 0


@pytest.mark.parametrize("run", ["train", "eval"])
def test_statistics_of_the_other_mode(run: str) -> None:
    sides = [by_batch(NEAR), normalised(NEAR, MEAN, VARIANCE)]
    assert hinted(NEAR, *(sides if run == "train" else sides[::-1]), run=run) == 21
    assert hinted(NEAR, sides[0], sides[1] + 1e-3, run) == 0


def test_a_cancelled_variance() -> None:
    assert hinted(FAR, by_batch(FAR), by_fast_variance(FAR)) == 20


def test_another_eps_is_no_cancelled_variance() -> None:
    variance = FAR.var((0, 2)) + 1e-3
    assert hinted(FAR, by_batch(FAR), normalised(FAR, FAR.mean((0, 2)), variance)) == 0


def test_noise_is_no_cancelled_variance() -> None:
    noise = 1e-8 * RANDOM.normal(size=FAR.shape)
    assert hinted(FAR, by_batch(FAR), by_batch(FAR) + noise) == 0
