"""From the same weights and batches the two compute the same numbers."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx

import jax_impl.batches
import jax_impl.epoch
import jax_impl.model
import jax_impl.optimizer
import torch_ref.batches
import torch_ref.epoch
import torch_ref.model
import torch_ref.optimizer
from experiment.recipe import Recipe

FAN_IN = {"conv1": 27, "conv2": 576, "conv3": 576, "fc1": 512, "fc2": 256}
PICTURES, BATCH = 72, 32  # two full batches and a short one


@pytest.fixture
def pictures() -> np.ndarray:
    """Noise with flat areas, where max-pooling meets exact ties."""
    random = np.random.default_rng(3)
    pictures = random.integers(0, 256, (PICTURES, 32, 32, 3), dtype=np.uint8)
    pictures[:, 4:20, 6:30] = random.integers(0, 256, (PICTURES, 1, 1, 3), dtype=np.uint8)
    return pictures


@pytest.fixture
def labels() -> np.ndarray:
    return np.random.default_rng(4).integers(0, 10, PICTURES, dtype=np.uint8)


def twins(recipe: Recipe) -> tuple[torch_ref.model.Cnn, jax_impl.model.Cnn]:
    """Both models with the reference's weights."""
    reference, port = torch_ref.model.Cnn(recipe), jax_impl.model.Cnn(recipe)
    jax_impl.model.load_canonical(port, torch_ref.model.to_canonical(reference))
    return reference, port


def watch(losses: np.ndarray) -> None:
    """Nobody looks."""


def test_canonical_weights_cross_bit_for_bit_both_ways() -> None:
    reference, port = twins(Recipe())
    there = torch_ref.model.to_canonical(reference)
    back = jax_impl.model.to_canonical(port)
    assert list(there) == list(back) == list(reference.state_dict())
    for name in there:
        assert there[name].tobytes() == back[name].tobytes(), name
    other = torch_ref.model.Cnn(Recipe(seed=1))
    torch_ref.model.load_canonical(other, back)
    for a, b in zip(other.parameters(), reference.parameters(), strict=True):
        assert torch.equal(a, b)


def test_weights_share_no_memory_across_the_border() -> None:
    reference, port = twins(Recipe())
    before = jax_impl.model.to_canonical(port)
    with torch.no_grad():
        for parameter in reference.parameters():
            parameter.zero_()
    after = jax_impl.model.to_canonical(port)
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_logits_agree_within_float32_rounding(pictures: np.ndarray) -> None:
    reference, port = twins(Recipe())
    x = torch_ref.batches.scaled(torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy()))
    y = jax_impl.batches.scaled(jnp.array(pictures))
    expected = reference(x).detach().numpy()
    found = np.asarray(port(y))
    assert np.abs(found - expected).max() < 1e-6 * np.abs(expected).max() * 10


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"momentum": 0.9},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 5e-3},
        {"weight_decay": 5e-3},
    ],
    ids=str,
)
def test_epochs_agree_step_by_step(
    pictures: np.ndarray, labels: np.ndarray, changes: dict[str, Any]
) -> None:
    """Two epochs of three steps each: losses, metrics and the weights at the end."""
    recipe = Recipe(batch_size=BATCH, learning_rate=0.05, **changes)
    reference, port = twins(recipe)
    optimizers = (
        torch_ref.optimizer.build_optimizer(reference, recipe),
        jax_impl.optimizer.build_optimizer(port, recipe),
    )
    order = np.random.default_rng(5).permutation(PICTURES)
    there = torch_ref.batches.to_device(pictures, labels, torch.device("cpu"))
    here = jax_impl.batches.to_device(pictures, labels, jax.devices("cpu")[0])
    for _ in range(2):
        expected_losses: list[np.ndarray] = []
        found_losses: list[np.ndarray] = []
        expected = torch_ref.epoch.train_epoch(
            reference, optimizers[0], torch_ref.batches.device_batches(there, order, BATCH),
            expected_losses.append,
        )  # fmt: skip
        found = jax_impl.epoch.train_epoch(
            port, optimizers[1], jax_impl.batches.device_batches(here, order, BATCH),
            found_losses.append,
        )  # fmt: skip
        np.testing.assert_allclose(
            np.concatenate(found_losses), np.concatenate(expected_losses), rtol=2e-6
        )
        assert found.accuracy == expected.accuracy
        assert found.loss == pytest.approx(expected.loss, rel=2e-6)
    there_now, here_now = torch_ref.model.to_canonical(reference), jax_impl.model.to_canonical(port)
    for name in there_now:
        np.testing.assert_allclose(here_now[name], there_now[name], atol=2e-6, err_msg=name)


def test_evaluation_agrees_and_changes_nothing(pictures: np.ndarray, labels: np.ndarray) -> None:
    reference, port = twins(Recipe())
    order = np.arange(PICTURES)
    before = jax_impl.model.to_canonical(port)
    there = torch_ref.batches.to_device(pictures, labels, torch.device("cpu"))
    here = jax_impl.batches.to_device(pictures, labels, jax.devices("cpu")[0])
    expected = torch_ref.epoch.evaluate(
        reference, torch_ref.batches.device_batches(there, order, BATCH)
    )
    found = jax_impl.epoch.evaluate(port, jax_impl.batches.device_batches(here, order, BATCH))
    assert found.loss == pytest.approx(expected.loss, rel=1e-6)
    assert found.accuracy == expected.accuracy
    after = jax_impl.model.to_canonical(port)
    assert all(np.array_equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("package", [torch_ref.model, jax_impl.model])
def test_initial_weights_are_pytorchs_uniform(package: Any) -> None:
    """U(-b, b), b = 1/sqrt(fan_in): the bound is kept, and standard deviation is b / sqrt(3)."""
    drawn = [package.to_canonical(package.Cnn(Recipe(seed=seed))) for seed in range(8)]
    for name in drawn[0]:
        values = np.concatenate([weights[name].ravel() for weights in drawn])
        bound = 1 / math.sqrt(FAN_IN[name.split(".")[0]])
        assert np.abs(values).max() <= bound
        assert np.abs(values).max() > bound * (1 - 20 / len(values))
        # the standard error of a uniform's standard deviation is below 0.45 / sqrt(n) of it
        assert values.std() == pytest.approx(
            bound / math.sqrt(3), rel=5 * 0.45 / len(values) ** 0.5
        )
        assert abs(values.mean()) < 5 * bound / math.sqrt(3 * len(values))


@pytest.mark.parametrize("package", [torch_ref.model, jax_impl.model])
def test_seed_decides_the_initial_weights(package: Any) -> None:
    first, again, other = (
        package.to_canonical(package.Cnn(Recipe(seed=seed))) for seed in (1, 1, 2)
    )
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not any(np.array_equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("package", [torch_ref.model, jax_impl.model])
def test_model_has_246474_parameters_and_its_summary_says_so(package: Any) -> None:
    model = package.Cnn(Recipe())
    assert sum(array.size for array in package.to_canonical(model).values()) == 246_474
    summary = package.summary(model, 32)
    assert "246,474" in summary
    for count in ("1,792", "36,928", "73,856", "131,328", "2,570"):
        assert count in summary


def test_port_is_made_of_nnx_modules_and_optax() -> None:
    model = jax_impl.model.Cnn(Recipe())
    assert isinstance(model, nnx.Module)
    assert isinstance(jax_impl.optimizer.build_optimizer(model, Recipe()), nnx.Optimizer)
