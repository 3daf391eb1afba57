"""Every row trains the recipe: the tuned and compiled ones compute what the plain ones do."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch

from benchmarks import torch_rows
from benchmarks.plan import Task, groups, replicas, side_by_side
from benchmarks.worker import make
from experiment.recipe import Recipe
from torch_ref.batches import to_device
from torch_ref.model import Cnn

BATCH, SIZE = 8, 24


def task(key: str) -> Task:
    found = [t for group in groups((32,), (1, 4)) for t in group if t.key == key]
    return dataclasses.replace(found[0], batch=BATCH)


def losses(key: str) -> list[float]:
    """The last loss of three passes, random pictures."""
    work = make(task(key), SIZE, "cpu")
    return [work() for _ in range(3)]


@pytest.mark.parametrize(
    "key",
    ["torch-device-32", "torch-tuned-32", pytest.param("jax_impl-32", marks=pytest.mark.slow)],
)
def test_row_learns(key: str) -> None:
    found = losses(key)
    assert found[-1] < found[0], found


def test_graph_code_path_computes_what_the_plain_row_does() -> None:
    """On a GPU the step is captured; here it is played again by a plain call."""
    recipe = Recipe(batch_size=BATCH)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (SIZE + 3, 32, 32, 3), dtype=np.uint8)
    labels = random.integers(0, 10, SIZE + 3, dtype=np.uint8)
    plain, played = Cnn(recipe), Cnn(recipe)
    split = to_device(images, labels, torch.device("cpu"))
    captured: list[Callable[[], None]] = []

    def capture(step: Callable[[], None]) -> Callable[[], None]:
        captured.append(step)
        return step

    torch_rows._epochs(recipe, plain, split)()
    torch_rows.graph_epochs(recipe, played, split, capture)()
    assert len(captured) == 1  # one graph for all the full batches
    for expected, found in zip(plain.parameters(), played.parameters(), strict=True):
        torch.testing.assert_close(found, expected)


def test_plan_puts_what_matters_first() -> None:
    plan = groups((32, 128), (1, 4, 16))
    assert [t.key for t in plan[0]][:2] == ["jax_impl-32", "torch-device-32"]
    assert {t.number for group in plan for t in group} == {*range(1, 11)}
    assert [t.batch for t in side_by_side(128)] == [128] * 5
    assert [t.replicas for t in replicas((1, 4))] == [1, 4]


def test_keys_are_names() -> None:
    keys = [t.key for group in groups((32, 128, 512, 2048), (1, 4, 16, 64)) for t in group]
    assert len(keys) == len(set(keys))
