"""A whole epoch by the exact recipe: the same loss from the same weights, in little memory."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

MOST_MEMORY = 3 * 2**30
LARGEST_DIFFERENCE_OF_TRAIN_LOSS = 1e-3


@pytest.fixture
def pictures() -> str:
    """The real pictures where they are at hand, else the stand-in."""
    return os.environ.get("CIFAR10_DIR") or "synthetic"


def train(package: str, *arguments: object) -> int:
    """Run the training command; returns its peak resident memory in bytes.

    Asked of /proc while it runs: what wait4 tells of a child begins at its parent's own peak.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", f"{package}.train", "--device", "cpu", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )
    peak = 0
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        if found := re.search(r"VmHWM:\s+(\d+) kB", status):  # gone once the process has ended
            peak = int(found[1]) * 1024
        time.sleep(0.2)
    assert process.returncode == 0
    assert peak > 0
    return peak


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is asked of /proc")
@pytest.mark.slow
def test_same_epoch_from_the_same_weights(pictures: str, tmp_path: Path, command: Any) -> None:
    start = tmp_path / "start"
    done = command(
        "torch_ref.train", "--data", pictures, "--out", start, "--device", "cpu", "--seed", 3,
        "--epochs", 1, "--train-limit", 32, "--test-limit", 32, "--learning-rate", 0,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    losses = {}
    for package in ("torch_ref", "jax_impl"):
        memory = train(
            package, "--data", pictures, "--epochs", 1, "--out", tmp_path / package,
            "--init", start / "weights.safetensors",
        )  # fmt: skip
        assert memory < MOST_MEMORY, package
        losses[package] = json.loads((tmp_path / package / "history.jsonl").read_text())
    difference = losses["torch_ref"]["train_loss"] - losses["jax_impl"]["train_loss"]
    assert abs(difference) <= LARGEST_DIFFERENCE_OF_TRAIN_LOSS
