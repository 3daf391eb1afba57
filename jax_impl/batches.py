"""Pictures on the device, handed out batch by batch."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Int32, UInt8

from experiment.batches import split_batches
from experiment.recipe import Recipe

_QUOTIENTS = np.arange(256) / Recipe.pixel_divisor


class Split(NamedTuple):
    """One split of CIFAR-10, whole, on the device."""

    images: UInt8[Array, "size 32 32 3"]
    labels: UInt8[Array, " size"]


class DeviceBatches(NamedTuple):
    """The batches of one pass over a split in a given order, as indices a row.

    PyTorch iterates over batches; a compiled epoch needs them as arrays, one of full batches and
    one of the short batch (no row where there is none).
    """

    split: Split
    full: Int32[Array, "full batch"]
    short: Int32[Array, "0_or_1 short"]

    @property
    def size(self) -> int:
        """Number of pictures in the pass."""
        return self.full.size + self.short.size


def to_device(
    images: UInt8[np.ndarray, "size 32 32 3"],
    labels: UInt8[np.ndarray, " size"],
    device: jax.Device,
) -> Split:
    """Copy a split to the device."""
    # Not device_put(images, device): arrays committed to a device commit the state that a program
    # returns, and with its next call, now from committed state, the program is compiled again.
    with jax.default_device(device):
        return Split(jnp.array(images), jnp.array(labels))


def device_batches(split: Split, order: Int[np.ndarray, " size"], batch_size: int) -> DeviceBatches:
    """The batches of a pass over `split` in `order`."""
    full, short = split_batches(order.astype(np.int32), batch_size)
    return DeviceBatches(split, jnp.array(full), jnp.array(short)[None, :][: len(short)])


def batch(
    split: Split, indices: Int32[Array, " n"]
) -> tuple[Float[Array, "n 32 32 3"], Int32[Array, " n"]]:
    """The pictures at `indices`, and their labels."""
    return scaled(split.images[indices]), split.labels[indices].astype(jnp.int32)


def scaled(images: UInt8[Array, "n 32 32 3"]) -> Float[Array, "n 32 32 3"]:
    """Pictures in [0, 1], in JAX's default dtype: float32 unless a proof enables x64."""
    # XLA would multiply by the reciprocal, and half of the 256 quotients would be an ulp off.
    return jnp.asarray(_QUOTIENTS, float)[images]
