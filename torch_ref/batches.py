"""Pictures on the device, handed out batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from experiment.batches import batch_count
from experiment.recipe import Recipe


@dataclass(frozen=True)
class Split:
    """One split of CIFAR-10, whole, on the device."""

    images: UInt8[Tensor, "size 3 32 32"]
    labels: Int[Tensor, " size"]


@dataclass(frozen=True)
class DeviceBatches:
    """The batches of one pass over a split in a given order; iterate for (pictures, labels)."""

    split: Split
    order: Int[Tensor, " size"]
    batch_size: int

    @property
    def device(self) -> torch.device:
        """Where the batches are."""
        return self.split.images.device

    def __len__(self) -> int:
        return batch_count(len(self.order), self.batch_size)

    def __iter__(self) -> Iterator[tuple[Float[Tensor, "n 3 32 32"], Int[Tensor, " n"]]]:
        for indices in self.order.split(self.batch_size):
            yield scaled(self.split.images[indices]), self.split.labels[indices]


def to_device(
    images: UInt8[np.ndarray, "size 32 32 3"],
    labels: UInt8[np.ndarray, " size"],
    device: torch.device,
) -> Split:
    """Copy a split to the device."""
    # PyTorch's layout is NCHW; the copy also keeps it from aliasing the read-only data cache.
    nchw = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    return Split(nchw.to(device), torch.from_numpy(labels.astype(np.int64)).to(device))


def device_batches(split: Split, order: Int[np.ndarray, " size"], batch_size: int) -> DeviceBatches:
    """The batches of a pass over `split` in `order`."""
    return DeviceBatches(split, torch.from_numpy(order).to(split.images.device), batch_size)


def scaled(images: UInt8[Tensor, "n 3 32 32"]) -> Float[Tensor, "n 3 32 32"]:
    """Pictures in [0, 1], in PyTorch's default dtype: float32 unless a proof sets float64."""
    return images.to(torch.get_default_dtype()) / Recipe.pixel_divisor
