"""The floor counts the recipe's arithmetic."""

from __future__ import annotations

import pytest

from benchmarks import floor


def test_parameters_are_the_network_s() -> None:
    assert sum(parameters for *_, parameters in floor.layers()) == 246_474


def test_arithmetic_of_a_step() -> None:
    convolutions = (30 * 30 * 64 * 27, 12 * 12 * 64 * 576, 4 * 4 * 128 * 576)
    forward = sum(convolutions) + 512 * 256 + 256 * 10
    assert floor.forward_flop() == 2 * forward
    assert floor.step_flop(32) == 2 * 32 * (3 * forward - convolutions[0])


def test_faster_framework_sets_the_floor() -> None:
    measured = {"PyTorch": {"product": 2.0, "copy": 1.0}, "JAX": {"product": 1.0, "copy": 4.0}}
    found = floor.from_measured(measured, None, (32, 128))
    assert found.flop_per_second == pytest.approx(2 * floor.SIDE**3)
    assert found.bytes_per_second == pytest.approx(8 * floor.COPY)
    assert found.tf32_flop_per_second is None
    assert found.step_flop[128] == 4 * found.step_flop[32]
