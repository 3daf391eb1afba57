"""The port stays ahead of PyTorch: by ratio in one run, never by an absolute time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from experiment.benchmark_results import read

LEAST = 1.25
"""Of what is measured, 1.5 or more: the rest is margin for noise."""


@pytest.mark.slow
def test_port_is_faster_than_eager_pytorch(command: Any, tmp_path: Path) -> None:
    out = tmp_path / "b.json"
    done = command("benchmarks", "--out", out, "--batches", "32", "--replicas", "1",
                   "--only", "jax_impl-32,torch-device-32")  # fmt: skip
    assert done.returncode == 0, done.stderr
    ratio = read(out).speedup("jax_impl-32", "torch-device-32")
    assert ratio is not None
    assert ratio >= LEAST, read(out).rows
