"""Differences are seen where they are, however few, and NaN never passes for a number."""

from __future__ import annotations

import math

import numpy as np
import pytest

from parity.numerics import difference, in_ulps


def test_equal_arrays_are_exact() -> None:
    array = np.array([1.0, -0.0, np.nan, np.inf])
    other = np.array([1.0, 0.0, np.nan, np.inf])
    found = difference(array, other)
    assert found.exact
    assert found.worst is None


def test_one_wrong_element_is_not_averaged_away() -> None:
    reference = np.random.default_rng(0).uniform(-0.04, 0.04, (256, 512))
    port = reference.copy()
    port[17, 400] *= 1 + 1e-8
    found = difference(reference, port)
    assert found.worst == (17, 400)
    assert found.reference_value == reference[17, 400]
    assert found.port_value == port[17, 400]
    expected = abs(reference[17, 400]) * 1e-8 / np.abs(reference).max()
    assert found.error == pytest.approx(expected, rel=1e-6)


def test_error_is_relative_to_the_largest_magnitude() -> None:
    found = difference(np.array([100.0, 1.0]), np.array([100.0, 1.5]))
    assert found.error == 0.005
    assert found.absolute == 0.5
    assert found.scale == 100.0


def test_floor_is_the_scale_of_what_is_zero_by_structure() -> None:
    noise, other = np.array([1e-18, -2e-18]), np.array([-1e-18, 3e-18])
    assert difference(noise, other).error > 1
    assert difference(noise, other, floor=1.0).error == pytest.approx(5e-18)


def test_anything_against_zero_without_a_floor_is_infinitely_wrong() -> None:
    assert difference(np.zeros(3), np.array([0, 1e-30, 0])).error == math.inf
    assert difference(np.zeros(3), np.zeros(3)).error == 0


@pytest.mark.parametrize(
    ("reference", "port"),
    [(1.0, np.nan), (np.nan, 1.0), (np.inf, -np.inf), (np.inf, 1e300), (np.nan, np.inf)],
)
def test_nan_and_inf_must_stand_in_the_same_places(reference: float, port: float) -> None:
    found = difference(
        np.array([[0.0, 2.0], [3.0, reference]]), np.array([[0.0, 2.0], [3.0, port]])
    )
    assert found.error == math.inf
    assert found.worst == (1, 1)
    assert found.fault is not None


def test_shapes_must_be_the_same_even_where_they_would_broadcast() -> None:
    found = difference(np.ones((3, 1)), np.ones((3,)))
    assert found.error == math.inf
    assert found.fault == "shape (3,), reference (3, 1)"


def test_integers_and_scalars_and_empty_arrays_compare_too() -> None:
    assert difference(np.array(3), np.array(4)).worst == ()
    assert difference(np.array([2**31 + 5]), np.array([-2147483643])).error > 1
    assert difference(np.zeros((0, 4)), np.zeros((0, 4))).exact


def test_float32_arrays_are_compared_beyond_float32() -> None:
    one, next_one = np.float32(1), np.nextafter(np.float32(1), np.float32(2))
    found = difference(np.array([one]), np.array([next_one]))
    assert found.error == 2.0**-23
    assert in_ulps(found, np.float32) == 1.0
    assert in_ulps(found, np.float64) == 2.0**29


def test_the_imaginary_part_counts() -> None:
    numbers = np.array([1 + 2j, 3 - 1j])
    assert difference(numbers, numbers).exact
    assert difference(numbers, numbers.conj()).error == 4 / 3
