"""The two implementations are one text in two languages."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
TWINS = ("batches", "checkpoint", "device", "epoch", "model", "objective", "optimizer", "train")
WITHOUT_A_TWIN = {
    "torch_ref": {"dataloader"},
    "jax_impl": {"convolution", "pooling", "replicas"},
}
LONGEST_FILE = 250


def public_names(file: Path) -> list[str]:
    """Public functions and classes in their order; a type alias is part of one language."""
    body = ast.parse(file.read_text()).body
    definitions = (ast.FunctionDef, ast.ClassDef)
    return [n.name for n in body if isinstance(n, definitions) and not n.name.startswith("_")]


@pytest.mark.parametrize("package", WITHOUT_A_TWIN)
def test_files_are_the_twins_and_the_exceptions_that_say_why(package: str) -> None:
    names = {file.stem for file in (REPOSITORY / package).glob("*.py")} - {"__init__"}
    assert names == {*TWINS} | WITHOUT_A_TWIN[package]
    for name in WITHOUT_A_TWIN[package]:
        docstring = ast.get_docstring(ast.parse((REPOSITORY / package / f"{name}.py").read_text()))
        assert docstring is not None
        assert "no twin" in docstring


@pytest.mark.parametrize("name", TWINS)
def test_public_names_come_in_the_same_order(name: str) -> None:
    reference = public_names(REPOSITORY / "torch_ref" / f"{name}.py")
    port = public_names(REPOSITORY / "jax_impl" / f"{name}.py")
    assert [n for n in port if n in reference] == reference
    # PyTorch's batches come from an iterator, and its steps are no program of their own.
    assert set(port) - set(reference) <= {"batch", "train_steps"}


def test_training_programs_differ_in_names_alone() -> None:
    texts = [
        (REPOSITORY / package / "train.py")
        .read_text()
        .replace(package, "PACKAGE")
        .replace(framework, "FRAMEWORK")
        for package, framework in (("torch_ref", "PyTorch"), ("jax_impl", "JAX"))
    ]
    reference, port = (text.splitlines() for text in texts)
    differing = [(a, b) for a, b in zip(reference, port, strict=True) if a != b]
    assert len(differing) <= 2


def test_no_file_is_longer_than_one_sitting() -> None:
    for package in ("experiment", "torch_ref", "jax_impl", "parity", "benchmarks"):
        for file in (REPOSITORY / package).rglob("*.py"):
            assert len(file.read_text().splitlines()) <= LONGEST_FILE, file
