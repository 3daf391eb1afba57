"""An epoch of the port takes no longer than one of the reference, both on this CPU."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import jax
import numpy as np
import pytest
import torch

import jax_impl.batches
import jax_impl.epoch
import jax_impl.model
import jax_impl.optimizer
import torch_ref.batches
import torch_ref.epoch
import torch_ref.model
import torch_ref.optimizer
from experiment.recipe import Recipe

SIZE, ROUNDS = 3200, 5


def trainer(package: str) -> Callable[[], None]:
    """A function that trains on a hundred batches, everything on the device beforehand."""
    recipe = Recipe()
    images = np.random.default_rng(0).integers(0, 256, (SIZE, 32, 32, 3), dtype=np.uint8)
    labels = np.random.default_rng(1).integers(0, 10, SIZE, dtype=np.uint8)
    modules, device = {
        "torch_ref": (torch_ref, torch.device("cpu")),
        "jax_impl": (jax_impl, jax.devices("cpu")[0]),
    }[package]
    split = modules.batches.to_device(images, labels, device)
    model = modules.model.Cnn(recipe)
    optimizer = modules.optimizer.build_optimizer(model, recipe)
    batches = modules.batches.device_batches(split, np.arange(SIZE), recipe.batch_size)
    return lambda: modules.epoch.train_epoch(model, optimizer, batches, lambda losses: None)


@pytest.mark.slow
def test_port_is_no_slower_than_the_reference() -> None:
    """Alternating rounds in one process, after compilation; the median of their ratios counts."""
    trainers = {package: trainer(package) for package in ("torch_ref", "jax_impl")}
    seconds: dict[str, list[float]] = {package: [] for package in trainers}
    for _ in range(1 + ROUNDS):  # the first round compiles
        for package, train in trainers.items():
            started = time.perf_counter()
            train()
            seconds[package].append(time.perf_counter() - started)
    pairs = zip(seconds["jax_impl"][1:], seconds["torch_ref"][1:], strict=True)
    assert statistics.median(port / reference for port, reference in pairs) <= 1, seconds
