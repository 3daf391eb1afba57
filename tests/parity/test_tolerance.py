"""Tolerances: one number in float64, the reference's own noise in float32."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from parity.capture.capture_file import Capture
from parity.numerics import difference
from parity.tolerance import (
    BUDGET_FACTOR,
    FLOOR_UNITS,
    PROOF_TOLERANCE,
    UNIT_ROUNDOFF,
    Ruler,
)

TRUTH = np.linspace(-1, 1, 101)


def ruler(lane: str, truth: np.ndarray, port: np.ndarray, *runs: np.ndarray) -> Ruler:
    about: dict[str, Any] = {"noise_runs": max(len(runs) - 1, 0)}
    names = ["x", *(f"noise/{i}/x" for i in range(len(runs)))]
    reference = Capture(about, dict(zip(names, runs or (truth,), strict=False)))
    return Ruler(lane, Capture({}, {"x": truth}), reference, Capture({}, {"x": port}))


def test_proof_lane_needs_its_error() -> None:
    found = ruler("float64", TRUTH, TRUTH + 3e-11).measure("x")
    assert found.needed == pytest.approx(3e-11, rel=1e-4)
    assert found.agrees
    assert not ruler("float64", TRUTH, TRUTH + 2 * PROOF_TOLERANCE).measure("x").agrees


def test_budget_is_a_multiple_of_the_largest_noise_of_the_references_runs() -> None:
    runs = [TRUTH + noise for noise in (1e-6, -5e-6, 2e-6)]
    found = ruler("float32", TRUTH, TRUTH + 4e-5, *runs).measure("x")
    assert found.unit == pytest.approx(5e-6)
    assert found.needed == pytest.approx(8)
    assert found.agrees
    assert not ruler("float32", TRUTH, TRUTH + 17 * 5e-6, *runs).measure("x").agrees


def test_reference_that_is_exact_by_luck_leaves_some_units_in_the_last_place() -> None:
    found = ruler("float32", TRUTH, TRUTH.astype(np.float32), TRUTH).measure("x")
    assert found.unit == FLOOR_UNITS * UNIT_ROUNDOFF["float32"]
    assert found.agrees


def test_tf32_has_the_unit_of_its_eleven_bits() -> None:
    assert ruler("tf32", TRUTH, TRUTH, TRUTH).measure("x").unit == FLOOR_UNITS * 2.0**-11


def test_deep_models_are_given_the_square_root_of_their_depth() -> None:
    shallow = ruler("float32", TRUTH, TRUTH, TRUTH)
    deep = Ruler("float32", shallow.truth, shallow.reference, shallow.port, depth=100)
    assert deep.measure("x").unit == pytest.approx(10 * shallow.measure("x").unit)


def test_missing_array_never_agrees() -> None:
    for lane in ("float64", "float32"):
        measured = ruler(lane, TRUTH, TRUTH).compare(TRUTH, None, [])
        assert not measured.agrees
        assert measured.needed == math.inf


def test_nan_never_agrees_in_any_lane() -> None:
    port = TRUTH.copy()
    port[7] = np.nan
    for lane in UNIT_ROUNDOFF:
        found = ruler(lane, TRUTH, port).measure("x")
        assert not found.agrees
        assert found.difference.worst == (7,)


def test_noise_that_is_no_number_widens_nothing() -> None:
    noisy = TRUTH.copy()
    noisy[0] = np.nan
    assert not ruler("float32", TRUTH, TRUTH + 0.1, TRUTH, noisy).measure("x").agrees


def test_allowance_is_taken_from_the_error_only() -> None:
    found = difference(np.array([1.0]), np.array([1.5]), allowance=0.25)
    assert found.error == 0.25
    assert found.absolute == 0.5
    assert difference(np.array([1.0]), np.array([1.1]), allowance=0.25).error == 0


def test_budget_factor_leaves_right_ports_room() -> None:
    """Right ports measured up to 8 times the reference's error on small gradients."""
    assert BUDGET_FACTOR >= 16
