"""A whole epoch is one compiled program that works on the device in its own memory."""

from __future__ import annotations

import logging

import jax
import numpy as np
import pytest
from flax import nnx

from experiment.batches import epoch_order
from experiment.recipe import Recipe
from jax_impl import epoch as epoch_module
from jax_impl.batches import DeviceBatches, Split, device_batches, to_device
from jax_impl.epoch import evaluate, train_epoch
from jax_impl.model import Cnn
from jax_impl.optimizer import build_optimizer

SIZE, BATCH = 16 * 5 + 4, 16


@pytest.fixture
def split() -> Split:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (SIZE, 32, 32, 3), dtype=np.uint8)
    labels = random.integers(0, 10, SIZE, dtype=np.uint8)
    return to_device(images, labels, jax.devices("cpu")[0])


@pytest.fixture
def trainee() -> tuple[Cnn, nnx.Optimizer[Cnn]]:
    recipe = Recipe(batch_size=BATCH)
    model = Cnn(recipe)
    return model, build_optimizer(model, recipe)


def batches_of(split: Split, epoch: int) -> DeviceBatches:
    return device_batches(split, epoch_order(0, epoch, SIZE), BATCH)


def watch(losses: np.ndarray) -> None:
    """Nobody looks."""


def test_compiles_once_for_full_and_once_for_the_short_batch(
    split: Split,
    trainee: tuple[Cnn, nnx.Optimizer[Cnn]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    epoch_module.train_steps.clear_cache()
    with jax.log_compiles(True), caplog.at_level(logging.WARNING):
        for epoch in (1, 2, 3):
            train_epoch(*trainee, batches_of(split, epoch), watch)
    compiled = [r.message for r in caplog.records if "Compiling jit(train_steps)" in r.message]
    assert len(compiled) == 2, compiled


def test_slices_of_the_epoch_do_not_change_a_number(
    split: Split, trainee: tuple[Cnn, nnx.Optimizer[Cnn]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Cnn(Recipe(batch_size=BATCH))
    whole: list[np.ndarray] = []
    sliced: list[np.ndarray] = []
    train_epoch(*trainee, batches_of(split, 1), whole.append)
    monkeypatch.setattr(epoch_module, "STEPS_BETWEEN_LOOKS", 2)
    train_epoch(
        model, build_optimizer(model, Recipe(batch_size=BATCH)), batches_of(split, 1), sliced.append
    )
    assert [len(losses) for losses in whole] == [5, 1]
    assert [len(losses) for losses in sliced] == [2, 2, 1, 1]
    assert np.array_equal(np.concatenate(whole), np.concatenate(sliced))


def test_state_is_donated(split: Split, trainee: tuple[Cnn, nnx.Optimizer[Cnn]]) -> None:
    kernel = trainee[0].fc1.kernel[...]
    train_epoch(*trainee, batches_of(split, 1), watch)
    assert kernel.is_deleted()
    assert not trainee[0].fc1.kernel[...].is_deleted()


def test_nothing_crosses_to_the_host_inside_the_program(
    split: Split, trainee: tuple[Cnn, nnx.Optimizer[Cnn]]
) -> None:
    batches = batches_of(split, 1)
    graph, state = nnx.split(trainee)
    bounds = jax.device_put((0, 5))
    with jax.transfer_guard("disallow"):
        epoch_module.train_steps(graph, state, batches.split, batches.full, *bounds)


def test_pass_without_a_short_batch_and_one_of_a_short_batch_alone(
    split: Split, trainee: tuple[Cnn, nnx.Optimizer[Cnn]]
) -> None:
    model = trainee[0]
    even = evaluate(model, device_batches(split, np.arange(2 * BATCH), BATCH))
    halves = [
        evaluate(model, device_batches(split, np.arange(a, a + BATCH), BATCH)) for a in (0, BATCH)
    ]
    assert even.loss == pytest.approx(np.mean([half.loss for half in halves]), rel=1e-6)
    few = evaluate(model, device_batches(split, np.arange(3), BATCH))
    assert few.accuracy in (0, 1 / 3, 2 / 3, 1)
