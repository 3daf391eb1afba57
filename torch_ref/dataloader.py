"""The tutorial's loader: torch.utils.data.DataLoader over pictures in host memory.

It feeds the same batches as `torch_ref.batches` and is slower, picture by picture in Python; it is
here because it is how people first write it. JAX has no such loader, so this file has no twin.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from torch_ref.batches import scaled


class Pictures(Dataset[tuple[Tensor, int]]):
    """A split as a map-style dataset: picture (3, 32, 32) in [0, 1], label."""

    def __init__(
        self, images: UInt8[np.ndarray, "size 32 32 3"], labels: UInt8[np.ndarray, " size"]
    ) -> None:
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Float[Tensor, "3 32 32"], int]:
        picture = torch.from_numpy(self.images[index].transpose(2, 0, 1).copy())
        return scaled(picture), int(self.labels[index])


class DataLoaderBatches:
    """The batches of one pass over `pictures` in `order`, moved to `device` one by one."""

    def __init__(
        self,
        pictures: Pictures,
        order: Int[np.ndarray, " size"],
        batch_size: int,
        device: torch.device,
    ) -> None:
        self.device = device
        self.order = order
        self.loader = DataLoader(pictures, batch_size=batch_size, sampler=order.tolist())

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[tuple[Float[Tensor, "n 3 32 32"], Int[Tensor, " n"]]]:
        for images, labels in self.loader:
            yield images.to(self.device), labels.to(self.device)
