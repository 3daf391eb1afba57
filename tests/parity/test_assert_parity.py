"""`parity.assert_parity` in a user's test file, run by pytest as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

TEST_FILE = """
import jax
import numpy as np
from flax import nnx
from torch import nn

from parity import Pair, assert_parity


class Reference(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.second(self.first(x).tanh())


class Port(nnx.Module):
    def __init__(self, rngs, scale):
        self.first, self.second = linear(3, 4, rngs), linear(4, 2, rngs)
        self.scale = scale

    def __call__(self, x):
        return self.second(self.scale * nnx.tanh(self.first(x)))


def linear(inputs, outputs, rngs):
    kernel = jax.nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")
    bound = inputs**-0.5
    bias = lambda key, shape, dtype: jax.random.uniform(key, shape, dtype, -bound, bound)
    return nnx.Linear(inputs, outputs, kernel_init=kernel, bias_init=bias, rngs=rngs)


def pair(scale):
    return Pair(
        name="from a test",
        reference=lambda seed: Reference(),
        port=lambda seed: Port(nnx.Rngs(seed), scale),
        inputs=lambda generator, n: generator.normal(size=(n, 3)),
    )


def test_right():
    assert_parity(pair(1.0), lanes=("float64",))


def test_wrong():
    assert_parity(pair(1.001), lanes=("float64",))
"""


def run(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_mine.py").write_text(TEST_FILE)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", f"test_mine.py::{name}"],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )


@pytest.mark.slow
def test_right_pair_of_lambdas_and_classes_of_the_test_file_passes(tmp_path):
    done = run(tmp_path, "test_right")
    assert done.returncode == 0, done.stdout + done.stderr


def test_wrong_pair_fails_with_the_verdict_and_names_the_place(tmp_path):
    done = run(tmp_path, "test_wrong")
    assert done.returncode == 1
    said = done.stdout
    assert "AssertionError" in said
    assert "First departure: forward, float64: between first and second" in said
    assert "FAIL: forward" in said
    assert "float32" not in said.partition("First departure")[0]
    assert "in verify" not in said, "the harness's own frames are of no use to the user"
    assert not list(tmp_path.glob("*.safetensors"))
