"""Imports run one way, and each framework's process is free of the other."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
ALLOWED = {
    "experiment": {"experiment"},
    "torch_ref": {"experiment", "torch_ref"},
    "jax_impl": {"experiment", "jax_impl"},
    "parity": {"experiment", "torch_ref", "jax_impl", "parity"},
    "benchmarks": {"experiment", "torch_ref", "jax_impl", "benchmarks"},
}
FOREIGN = {
    "experiment": {"torch", "jax", "flax", "optax", "orbax"},
    "torch_ref": {"jax", "flax", "optax", "orbax"},
    "jax_impl": {"torch", "torchvision"},
    "parity": set(),
    "benchmarks": set(),
}


def modules_imported_by(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module).split(".")[0])
    return found


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_run_one_way(package: str) -> None:
    for file in (REPOSITORY / package).rglob("*.py"):
        ours = modules_imported_by(file) & ALLOWED.keys()
        assert ours <= ALLOWED[package], file
        assert not modules_imported_by(file) & FOREIGN[package], file


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("experiment", {"torch", "jax", "torchvision", "tensorflow", "matplotlib", "PIL"}),
        ("experiment.cifar10", {"torch", "jax", "torchvision", "tensorflow", "matplotlib", "PIL"}),
        ("experiment.command", {"torch", "jax", "torchvision", "tensorflow", "matplotlib"}),
        ("benchmarks.command", {"torch", "jax", "matplotlib", "tyro"}),
        ("torch_ref.train", {"jax", "flax", "tensorflow", "torchvision", "matplotlib"}),
        ("jax_impl.train", {"torch", "torchvision", "tensorflow", "matplotlib"}),
    ],
)
def test_process_stays_free_of(module: str, absent: set[str]) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert not absent & set(done.stdout.split())
