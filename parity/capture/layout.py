"""How a layer's activations lie in the port, told from both sides' shapes. NumPy only.

PyTorch has channels first, JAX last, in convolutions and what surrounds them; elsewhere features
are last in both. Where the shapes allow either and the layer's class does not say, nothing is
guessed: the activation is not compared, and the capture says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_CHANNELS_FIRST = (
    "Conv", "BatchNorm", "InstanceNorm", "GroupNorm", "PReLU", "MaxPool", "AvgPool", "AdaptiveAvg",
    "AdaptiveMax", "Upsample", "PixelShuffle", "LocalResponseNorm",
)  # fmt: skip
"""Beginnings of class names in torch.nn whose second axis is the channels."""

_FEATURES_LAST = (
    "Linear", "LayerNorm", "RMSNorm", "Embedding", "MultiheadAttention", "LSTM", "GRU", "RNN",
)  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """From the port's layout to the canonical one and back.

    `flatten` (C, H, W): the last axis is a flattened picture, H, W, C in the port.
    """

    channels_last: bool = False
    flatten: tuple[int, int, int] | None = None

    def to_canonical(self, array: np.ndarray) -> np.ndarray:
        """The port's array as PyTorch has it."""
        if self.flatten:
            c, h, w = self.flatten
            picture = array.reshape(*array.shape[:-1], h, w, c)
            return np.moveaxis(picture, -1, -3).reshape(array.shape)
        return np.moveaxis(array, -1, 1) if self.channels_last else array

    def to_port(self, array: np.ndarray) -> np.ndarray:
        """A canonical array as the port has it."""
        if self.flatten:
            picture = array.reshape(*array.shape[:-1], *self.flatten)
            return np.moveaxis(picture, -3, -1).reshape(array.shape)
        return np.moveaxis(array, 1, -1) if self.channels_last else array

    def canonical_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The canonical shape of a port's array."""
        shape = tuple(shape)
        return (shape[0], shape[-1], *shape[1:-1]) if self.channels_last else shape


def rebatched(reference: Sequence[int], port: Sequence[int]) -> tuple[int, ...]:
    """The reference's shape, which is a full batch's, for a batch as long as the port's.

    A scalar has no batch: where either is one, the reference's shape stays.
    """
    return (port[0], *reference[1:]) if len(reference) and len(port) else tuple(reference)


def layout_of(kind: str, reference: Sequence[int], port: Sequence[int]) -> Layout | None:
    """The layout of one activation; None where it cannot be told.

    `kind` is the reference layer's class, `reference` and `port` the two shapes.
    """
    reference, port = tuple(reference), tuple(port)
    if len(port) < 3 or len(port) != len(reference):
        return Layout()
    as_is, moved = port == reference, Layout(True).canonical_shape(port) == reference
    if as_is != moved:
        return Layout(channels_last=moved)
    name = kind.removeprefix("torch.nn.")
    if name.startswith(_CHANNELS_FIRST):
        return Layout(channels_last=True)
    if name.startswith(_FEATURES_LAST) or not as_is:
        return Layout()
    return None
