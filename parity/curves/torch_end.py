"""What a comparison asks of the reference. The only module of the comparison with PyTorch in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float32, Int, UInt8

from experiment.provenance import Environment
from experiment.recipe import Recipe
from torch_ref.batches import Split, device_batches, to_device
from torch_ref.device import describe_environment, select_device
from torch_ref.epoch import train_epoch
from torch_ref.model import Cnn, load_canonical, to_canonical
from torch_ref.optimizer import build_optimizer

Arrays = Mapping[str, np.ndarray]
Watch = Callable[[Float32[np.ndarray, " steps"]], None]


class TorchEnd:
    """The reference on its device."""

    def __init__(self, device: str, recipe: Recipe) -> None:
        self.recipe = recipe
        self.device = select_device(device, recipe.precision)

    def environment(self) -> Environment:
        """What decides the numbers."""
        return describe_environment(self.device)

    def split(
        self, images: UInt8[np.ndarray, "n 32 32 3"], labels: UInt8[np.ndarray, " n"]
    ) -> Split:
        """Pictures on the device."""
        return to_device(images, labels, self.device)

    def initial_weights(self) -> dict[str, np.ndarray]:
        """Native initialisation, canonical."""
        return to_canonical(Cnn(self.recipe))

    def epoch(
        self, weights: Arrays, split: Split, order: Int[np.ndarray, " size"], watch: Watch
    ) -> None:
        """Train over `split` in `order` from `weights`; `watch` is given every step's loss."""
        model = Cnn(self.recipe).to(self.device)
        load_canonical(model, weights)
        optimizer = build_optimizer(model, self.recipe)
        train_epoch(model, optimizer, device_batches(split, order, self.recipe.batch_size), watch)

    def logits(self, weights: Arrays, split: Split, size: int) -> Float32[np.ndarray, "n 10"]:
        """What the network with these weights says of the first `size` pictures of `split`."""
        import torch

        model = Cnn(self.recipe).to(self.device)
        load_canonical(model, weights)
        model.eval()
        with torch.no_grad():
            batches = device_batches(split, np.arange(size), self.recipe.batch_size)
            return np.concatenate([model(pictures).numpy(force=True) for pictures, _ in batches])
