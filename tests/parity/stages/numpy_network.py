"""A small network in NumPy, and the faults that a wrong port of it can have.

Input (n, 2, 6, 5) -> conv (3x3 by hand, 2->3) -> relu -> pool 2x2 -> flatten C-H-W -> fc1 -> tanh
-> fc2 -> logits (n, 3). The backward pass is written by hand and checked against differences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]
MOMENTUM, DECAY = 0.9, 0.01
LEAF_LAYERS = {
    "conv": "torch.nn.Conv2d", "relu": "torch.nn.ReLU", "pool": "torch.nn.MaxPool2d",
    "fc1": "torch.nn.Linear", "fc2": "torch.nn.Linear",
}  # fmt: skip


def identity(x: np.ndarray) -> np.ndarray:
    """No fault."""
    return x


@dataclass
class Faults:
    """What a wrong port does otherwise; each entry replaces one right function."""

    before: dict[str, Callable[[np.ndarray], np.ndarray]] = field(default_factory=dict)
    """Layer -> what is done to what it is given: a fault between two layers."""
    inside: dict[str, Callable[[np.ndarray], np.ndarray]] = field(default_factory=dict)
    """Layer -> what is done to what it returns: a fault of the layer."""
    shown: dict[str, Callable[[np.ndarray], np.ndarray]] = field(default_factory=dict)
    """Layer -> what is done to what is written down only: a rewrite."""
    loss: Callable[[np.ndarray, np.ndarray, int], float] | None = None
    split_ties: bool = False
    slope: float = 0.0
    update: Callable[..., tuple[np.ndarray, np.ndarray]] | None = None


def correlate(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """(n, c, h, w) with (o, c, 3, 3), no padding."""
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], (2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, w)


def windows_of(x: np.ndarray) -> np.ndarray:
    """(n, c, h, w) -> (n, c, h/2, w/2, 4), odd ends left out."""
    n, c, h, w = x.shape
    cut = x[:, :, : h // 2 * 2, : w // 2 * 2].reshape(n, c, h // 2, 2, w // 2, 2)
    return cut.transpose(0, 1, 2, 4, 3, 5).reshape(n, c, h // 2, w // 2, 4)


def windows_back(parts: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The inverse of `windows_of`, zeros at odd ends."""
    n, c, h, w, _ = parts.shape
    whole = np.zeros(shape, parts.dtype)
    picture = parts.reshape(n, c, h, w, 2, 2).transpose(0, 1, 2, 4, 3, 5)
    whole[:, :, : 2 * h, : 2 * w] = picture.reshape(n, c, 2 * h, 2 * w)
    return whole


def cross_entropy(logits: np.ndarray, targets: np.ndarray, _full: int = 0) -> float:
    """Mean over the batch."""
    shifted = logits - logits.max(1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return -logs[np.arange(len(targets)), targets].mean()


class Network:
    """The network with faults; `dtype` is the arithmetic."""

    def __init__(self, dtype: Any = np.float64, faults: Faults | None = None) -> None:
        self.dtype, self.faults = np.dtype(dtype), faults or Faults()

    def call(self, layer: str, x: np.ndarray, p: Arrays) -> np.ndarray:
        """One layer's output."""
        if layer == "conv":
            y = correlate(x, p["conv.weight"]) + p["conv.bias"][:, None, None]
        elif layer == "relu":
            y = np.maximum(x, 0)
        elif layer == "pool":
            y = windows_of(x).max(-1)
        else:
            y = x @ p[f"{layer}.weight"].T + p[f"{layer}.bias"]
        return self.faults.inside.get(layer, identity)(y)

    def back(
        self, layer: str, x: np.ndarray, g: np.ndarray, p: Arrays
    ) -> tuple[np.ndarray, Arrays]:
        """d loss / d input and parameters, given d loss / d output."""
        if layer == "conv":
            windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (2, 3))
            weight = np.einsum("nchwij,nohw->ocij", windows, g)
            padded = np.pad(g, ((0, 0), (0, 0), (2, 2), (2, 2)))
            kernel = p["conv.weight"][:, :, ::-1, ::-1].swapaxes(0, 1)
            own = {"conv.weight": weight, "conv.bias": g.sum((0, 2, 3))}
            return correlate(padded, kernel), own
        if layer == "relu":
            slope = np.where(x > 0, 1.0, np.where(x == 0, self.faults.slope, 0.0))
            return g * slope.astype(self.dtype), {}
        if layer == "pool":
            parts = windows_of(x)
            ties = parts == parts.max(-1, keepdims=True)
            if self.faults.split_ties:
                share = ties / ties.sum(-1, keepdims=True)
            else:
                share = ties & (ties.cumsum(-1) == 1)
            return windows_back(share.astype(self.dtype) * g[..., None], x.shape), {}
        own = {f"{layer}.weight": g.T @ x, f"{layer}.bias": g.sum(0)}
        return g @ p[f"{layer}.weight"], own

    def forward(self, x: np.ndarray, p: Arrays) -> tuple[np.ndarray, Arrays, Arrays]:
        """Logits, what each layer was given, what each returned."""
        given, made = {}, {}
        for layer in LEAF_LAYERS:
            if layer == "fc1":
                x = x.reshape(len(x), -1)
            if layer == "fc2":
                x = np.tanh(x)
            x = self.faults.before.get(layer, identity)(x)
            given[layer] = x
            x = made[layer] = self.call(layer, x, p)
        return x, given, made

    def loss(self, logits: np.ndarray, targets: np.ndarray, full: int) -> np.ndarray:
        """Scalar."""
        value = (self.faults.loss or cross_entropy)(logits, targets, full)
        return np.asarray(value, self.dtype)

    def derivative(self, logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """d cross-entropy / d logits."""
        powers = np.exp(logits - logits.max(1, keepdims=True))
        chances = powers / powers.sum(1, keepdims=True)
        chances[np.arange(len(targets)), targets] -= 1
        return chances / len(targets)

    def gradients(
        self, x: np.ndarray, targets: np.ndarray, p: Arrays
    ) -> tuple[Arrays, Arrays, np.ndarray]:
        """Gradients by parameter, cotangents by layer, and the logits."""
        logits, given, made = self.forward(x, p)
        g = self.derivative(logits, targets)
        gradients: Arrays = {}
        cotangents = {"output": g}
        for layer in reversed(LEAF_LAYERS):
            cotangents[layer] = g
            g, own = self.back(layer, given[layer], g, p)
            gradients |= own
            if layer == "fc2":
                g = g * (1 - np.tanh(made["fc1"]) ** 2)
            if layer == "fc1":
                g = g.reshape(made["pool"].shape)
        return {name: gradients[name] for name in p}, cotangents, logits

    def update(
        self, p: np.ndarray, g: np.ndarray, buffer: np.ndarray | None, rate: float, step: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """SGD with momentum and weight decay, as PyTorch's."""
        if self.faults.update:
            return self.faults.update(p, g, buffer, rate, step)
        given = g + np.asarray(DECAY, self.dtype) * p
        kept = given if buffer is None else np.asarray(MOMENTUM, self.dtype) * buffer + given
        return p - np.asarray(rate, self.dtype) * kept, kept
