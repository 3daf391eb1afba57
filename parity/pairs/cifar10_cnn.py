"""The CIFAR-10 network in PyTorch and in Flax, with both loaders, epochs and the real recipe.

Pictures are those of $CIFAR10_DIR, else the synthetic stand-in; the captures' config says which.
Importing this imports neither framework.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from functools import cache, partial
from typing import Any

import numpy as np

from experiment.batches import epoch_order
from experiment.cifar10 import Cifar10, load
from experiment.recipe import Recipe
from parity.pair import Pair, Training, channels_last

TRAIN_PICTURES = 816
"""25 full batches and one of 16, as at the end of the real epoch."""

TEST_PICTURES = 240

Batches = Iterator[tuple[np.ndarray, np.ndarray]]


def pair(recipe: Recipe) -> Pair:
    """The two networks, trained by `recipe` on its first `TRAIN_PICTURES`, two epochs."""
    recipe = dataclasses.replace(
        recipe, epochs=2, train_limit=TRAIN_PICTURES, test_limit=TEST_PICTURES
    )
    return Pair(
        name="cifar10_cnn",
        reference=partial(_reference, recipe),
        port=partial(_port, recipe),
        inputs=_inputs,
        targets=lambda generator, n: generator.integers(0, Recipe.classes, n),
        reference_loss=_reference_loss,
        port_loss=_port_loss,
        reference_optimizer=partial(_reference_optimizer, recipe),
        port_optimizer=partial(_port_optimizer, recipe),
        learning_rate=recipe.learning_rate,
        batch_size=recipe.batch_size,
        short_batch_size=TRAIN_PICTURES % recipe.batch_size or recipe.batch_size // 2,
        port_inputs=channels_last,
        reference_training=Training(
            batches=partial(_reference_batches, recipe),
            epoch=partial(_reference_epoch, recipe),
            evaluate=partial(_reference_evaluate, recipe),
            config=partial(_config, recipe),
            epochs=recipe.epochs,
        ),
        port_training=Training(
            batches=partial(_port_batches, recipe),
            epoch=partial(_port_epoch, recipe),
            evaluate=partial(_port_evaluate, recipe),
            config=partial(_config, recipe),
            epochs=recipe.epochs,
        ),
    )


@cache
def _data() -> Cifar10:
    found = load(os.environ.get("CIFAR10_DIR") or "synthetic")
    return found.limited(train=TRAIN_PICTURES, test=TEST_PICTURES)


def _inputs(generator: np.random.Generator, n: int) -> np.ndarray:
    """Pictures (n, 3, 32, 32) in [0, 1]; the first is flat, and so is the upper half of the second.

    Equal neighbours tie in max-pooling, which shows where their gradient goes.
    """
    pictures = _data().train_images
    chosen = pictures[generator.choice(len(pictures), n, replace=n > len(pictures))]
    chosen = np.moveaxis(chosen, -1, 1).astype(np.float64) / Recipe.pixel_divisor
    chosen[0] = generator.uniform(0.2, 1.0, (3, 1, 1))
    chosen[1:2, :, :16] = generator.uniform(0.2, 1.0, (3, 1, 1))
    return chosen


def _config(recipe: Recipe) -> Mapping[str, Any]:
    data = _data()
    pictures = {
        "data_sha256": data.fingerprint,  # and no place: verdicts are handed on
        "data_official": data.official,
        "data_notice": data.notice,
    }
    return {**json.loads(recipe.to_json()), **pictures}


def _reference(recipe: Recipe, seed: int) -> Any:
    from torch_ref.model import Cnn

    return Cnn(dataclasses.replace(recipe, seed=seed))


def _port(recipe: Recipe, seed: int) -> Any:
    from jax_impl.model import Cnn

    return Cnn(dataclasses.replace(recipe, seed=seed))


def _reference_loss(logits: Any, labels: Any) -> Any:
    from torch_ref.objective import loss

    return loss(logits, labels)


def _port_loss(logits: Any, labels: Any) -> Any:
    from jax_impl.objective import loss

    return loss(logits, labels)


def _reference_optimizer(recipe: Recipe, model: Any, learning_rate: float) -> Any:
    from torch_ref.optimizer import build_optimizer

    return build_optimizer(model, dataclasses.replace(recipe, learning_rate=learning_rate))


def _port_optimizer(recipe: Recipe, model: Any, learning_rate: float) -> Any:
    from jax_impl.optimizer import build_optimizer

    return build_optimizer(model, dataclasses.replace(recipe, learning_rate=learning_rate))


def _reference_loader(recipe: Recipe, epoch: int) -> Any:
    import torch

    from torch_ref.batches import device_batches, to_device

    split = to_device(_data().train_images, _data().train_labels, torch.device(_torch_device()))
    order = epoch_order(recipe.seed, epoch, TRAIN_PICTURES)
    return device_batches(split, order, recipe.batch_size)


def _reference_batches(recipe: Recipe, epoch: int) -> Batches:
    for pictures, labels in _reference_loader(recipe, epoch):
        yield pictures.numpy(force=True), labels.numpy(force=True)


def _reference_epoch(recipe: Recipe, model: Any, optimizer: Any, epoch: int) -> Mapping[str, Any]:
    from torch_ref.epoch import train_epoch

    losses: list[np.ndarray] = []
    metrics = train_epoch(model, optimizer, _reference_loader(recipe, epoch), losses.append)
    return {"losses": np.concatenate(losses), **metrics._asdict()}


def _reference_evaluate(recipe: Recipe, model: Any) -> Mapping[str, Any]:
    import torch

    from torch_ref.batches import device_batches, to_device
    from torch_ref.epoch import evaluate

    split = to_device(_data().test_images, _data().test_labels, torch.device(_torch_device()))
    batches = device_batches(split, np.arange(TEST_PICTURES), recipe.batch_size)
    return evaluate(model, batches)._asdict()


def _torch_device() -> str:
    """Where the capture put its model: PyTorch's data must lie there too."""
    import torch

    return str(torch.get_default_device())


def _port_loader(recipe: Recipe, epoch: int) -> Any:
    from jax_impl.batches import device_batches, to_device

    split = to_device(_data().train_images, _data().train_labels, _jax_device())
    order = epoch_order(recipe.seed, epoch, TRAIN_PICTURES)
    return device_batches(split, order, recipe.batch_size)


def _port_batches(recipe: Recipe, epoch: int) -> Batches:
    from jax_impl.batches import batch

    loader = _port_loader(recipe, epoch)
    for indices in [*loader.full, *loader.short]:
        pictures, labels = batch(loader.split, indices)
        # int64 as PyTorch's labels: which integers hold them decides nothing.
        yield np.moveaxis(np.asarray(pictures), -1, 1), np.asarray(labels).astype(np.int64)


def _port_epoch(recipe: Recipe, model: Any, optimizer: Any, epoch: int) -> Mapping[str, Any]:
    from jax_impl.epoch import train_epoch

    losses: list[np.ndarray] = []
    metrics = train_epoch(model, optimizer, _port_loader(recipe, epoch), losses.append)
    return {"losses": np.concatenate(losses), **metrics._asdict()}


def _port_evaluate(recipe: Recipe, model: Any) -> Mapping[str, Any]:
    from jax_impl.batches import device_batches, to_device
    from jax_impl.epoch import evaluate

    split = to_device(_data().test_images, _data().test_labels, _jax_device())
    batches = device_batches(split, np.arange(TEST_PICTURES), recipe.batch_size)
    return evaluate(model, batches)._asdict()


def _jax_device() -> Any:
    """Where JAX puts what it makes: the capture has chosen."""
    import jax.numpy as jnp

    return next(iter(jnp.zeros(()).devices()))


PAIR = pair(Recipe())
"""The real recipe: plain SGD."""

MOMENTUM = dataclasses.replace(
    pair(Recipe(momentum=0.9, nesterov=True, weight_decay=5e-4)), name="cifar10_cnn with momentum"
)
"""Nesterov momentum and weight decay, PyTorch's semantics in both."""
