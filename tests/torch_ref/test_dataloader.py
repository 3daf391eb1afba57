"""The tutorial's loader and the on-device one feed the same batches."""

from __future__ import annotations

import numpy as np
import torch

from experiment.batches import epoch_order
from experiment.recipe import Recipe
from torch_ref.batches import device_batches, to_device
from torch_ref.dataloader import DataLoaderBatches, Pictures
from torch_ref.epoch import evaluate, train_epoch
from torch_ref.model import Cnn, to_canonical
from torch_ref.optimizer import build_optimizer

SIZE, BATCH = 70, 32
CPU = torch.device("cpu")


def both() -> tuple[object, object]:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (SIZE, 32, 32, 3), dtype=np.uint8)
    labels = random.integers(0, 10, SIZE, dtype=np.uint8)
    order = epoch_order(0, 1, SIZE)
    return (
        device_batches(to_device(images, labels, CPU), order, BATCH),
        DataLoaderBatches(Pictures(images, labels), order, BATCH, CPU),
    )


def test_same_batches_bit_for_bit() -> None:
    on_device, from_loader = both()
    assert len(on_device) == len(from_loader) == 3  # type: ignore[arg-type]
    sizes = []
    for (x, y), (pictures, labels) in zip(on_device, from_loader, strict=True):  # type: ignore[call-overload]
        assert torch.equal(x, pictures)
        assert torch.equal(y, labels)
        sizes.append(len(y))
    assert sizes == [32, 32, 6]


def test_same_training() -> None:
    weights, metrics = [], []
    for batches in both():
        model = Cnn(Recipe())
        optimizer = build_optimizer(model, Recipe())
        metrics.append(train_epoch(model, optimizer, batches, lambda losses: None))  # type: ignore[arg-type]
        metrics.append(evaluate(model, batches))  # type: ignore[arg-type]
        weights.append(to_canonical(model))
    assert metrics[:2] == metrics[2:]
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])
