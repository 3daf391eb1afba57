"""What a comparison asks of the port. Twin of torch_end.py, with JAX in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import jax
import numpy as np
from flax import nnx
from jaxtyping import Array, Float32, Int, Int32, UInt8

from experiment.provenance import Environment
from experiment.recipe import Recipe
from jax_impl.batches import Split, batch, device_batches, to_device
from jax_impl.device import describe_environment, select_device
from jax_impl.epoch import train_epoch
from jax_impl.model import Cnn, load_canonical, to_canonical
from jax_impl.optimizer import build_optimizer

Arrays = Mapping[str, np.ndarray]
Watch = Callable[[Float32[np.ndarray, " steps"]], None]


class JaxEnd:
    """The port on its device."""

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
        model = Cnn(self.recipe)
        load_canonical(model, weights)
        optimizer = build_optimizer(model, self.recipe)
        train_epoch(model, optimizer, device_batches(split, order, self.recipe.batch_size), watch)

    def logits(self, weights: Arrays, split: Split, size: int) -> Float32[np.ndarray, "n 10"]:
        """What the network with these weights says of the first `size` pictures of `split`."""
        model = Cnn(self.recipe)
        load_canonical(model, weights)
        graph, state = nnx.split(model)

        @jax.jit
        def say(state: nnx.State, split: Split, indices: Int32[Array, " n"]) -> Array:
            return nnx.merge(graph, state)(batch(split, indices)[0])

        batches = device_batches(split, np.arange(size), self.recipe.batch_size)
        rows = [*batches.full, *batches.short]
        return np.concatenate([np.asarray(say(state, split, row)) for row in rows])
