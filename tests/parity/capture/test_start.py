"""What both sides start from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from torch import nn

from parity import Pair
from parity.bridge.torch_end import describe, export
from parity.capture import start
from parity.capture.capture_file import Capture, read_capture, write_capture


def pair_of(inputs, targets=None) -> Pair:
    return Pair(name="a", reference=len, port=len, inputs=inputs, targets=targets)


def assert_same(found, expected) -> None:
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for key, value in expected.items():
            assert_same(found[key], value)
    elif isinstance(expected, tuple):
        assert isinstance(found, tuple)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    else:
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


NESTED = {
    "array": lambda g, n: g.normal(size=(n, 2)),
    "integers": lambda g, n: (g.integers(0, 5, n), g.normal(size=(n, 2))),
    "keywords": lambda g, n: {"x": g.normal(size=n), "length": g.integers(0, 3, n)},
    "nested": lambda g, n: (
        g.normal(size=n),
        (g.normal(size=n), {"a": g.random(n)}),
        (g.random(n),),
    ),
    "many": lambda g, n: tuple(g.normal(size=n) for _ in range(12)),
    "booleans": lambda g, n: {"mask": g.random((n, 3)) < 0.5, "x": g.random((n, 3))},
}


@pytest.mark.parametrize("name", NESTED)
def test_batches_come_back_from_a_file_as_they_were(tmp_path: Path, name: str) -> None:
    made = start.batches(pair_of(NESTED[name], lambda g, n: g.integers(0, 3, n)), seed=1)
    about = dict.fromkeys(("side", "pair", "lane", "seed", "nonce", "start"), "")
    write_capture(tmp_path / "file", about, start.batch_arrays(made))
    capture = read_capture(tmp_path / "file")
    for batch, (inputs, targets) in made.items():
        found = start.batch_of_capture(capture, batch)
        assert_same(found[0], inputs)
        assert_same(found[1], targets)


def test_every_batch_is_another_and_the_seed_decides() -> None:
    pair = pair_of(lambda g, n: g.normal(size=(n, 2)))
    made = start.batches(pair, seed=1)
    assert len({inputs.tobytes() for inputs, _ in made.values()}) == len(made) == 28
    assert [len(made[n][0]) for n in ("full", "short", "1", "25", "26")] == [8, 3, 8, 8, 3]
    assert_same(start.batches(pair, seed=1)["7"][0], made["7"][0])
    assert (start.batches(pair, seed=2)["7"][0] != made["7"][0]).all()


def test_targets_of_three_arguments_are_given_the_inputs() -> None:
    pair = pair_of(lambda g, n: g.normal(size=(n, 2)), lambda g, n, x: x.sum(1))
    for inputs, targets in start.batches(pair, seed=0).values():
        np.testing.assert_allclose(targets, inputs.sum(1), rtol=1e-6)


def test_stirring_leaves_no_constant_tensor_and_moves_nothing_else() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.LayerNorm(4), nn.PReLU())
    nn.init.zeros_(model[0].bias)
    weights = export(model)
    stirred = start.stirred(weights, describe(model), seed=0)
    for name, array in stirred.items():
        if array.dtype.kind == "f" and array.size > 1:
            assert np.unique(array).size == array.size, name
    assert stirred["1.running_var"].min() > 0.4
    assert stirred["3.weight"] != 0.25
    np.testing.assert_array_equal(stirred["0.weight"], weights["0.weight"])


@pytest.mark.slow
def test_digest_is_the_same_in_every_lane(captures) -> None:
    made = {
        read_capture(captures(framework, lane)).about["start"]
        for framework in ("torch", "jax")
        for lane in ("float64", "float32")
    }
    assert len(made) == 1


def test_digest_notices_each_starting_array() -> None:
    arrays = {"weight/a": np.ones(2), "input/0": np.ones(2), "batch/3/target/0": np.arange(2)}
    whole = start.start_digest(arrays)
    assert start.start_digest(arrays | {"train/loss": np.ones(())}) == whole
    for name in arrays:
        assert start.start_digest(arrays | {name: arrays[name] + 1}) != whole


def test_ulp_noise_moves_every_float_to_a_neighbour_and_no_zero() -> None:
    array = np.array([0.0, 1.0, -2.0, 1e-20, 3.0], np.float32)
    moved = start.moved_by_an_ulp(array, "a", run=0)
    assert moved[0] == 0
    np.testing.assert_array_equal(np.abs(moved - array)[1:] <= np.spacing(np.abs(array[1:])), True)
    assert (moved != array)[1:].all()
    assert (start.moved_by_an_ulp(array, "a", run=1) != moved).any()
    assert_same(start.moved_by_an_ulp(np.arange(3), "a", 0), np.arange(3))


def test_no_targets_come_back_as_none() -> None:
    made = start.batches(pair_of(lambda g, n: g.normal(size=n)), 0)
    assert start.batch_of_capture(Capture({}, start.batch_arrays(made)), "full")[1] is None
