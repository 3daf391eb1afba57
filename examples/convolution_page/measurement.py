"""Runs a call as both frameworks spell it, on the same weights and pictures, in float64."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from jaxtyping import Bool, Float64
from torch import nn

import parity.layers
from examples.convolution_page.geometry import Axis, TransposedAxis, axes_of
from examples.convolution_page.options import Call
from parity.bridge import flax_end, torch_end
from parity.bridge.matching import match
from parity.numerics import difference


@dataclass(frozen=True)
class Measured:
    """What came out of one call."""

    axes: list[Axis] | list[TransposedAxis]
    torch_output: Float64[np.ndarray, "n c *space"]
    flax_output: Float64[np.ndarray, "n c *space"]
    """Channels first, as PyTorch's."""
    weights: int
    """How many, biases not counted."""

    @property
    def sizes(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Of the output: by the formula, of PyTorch, of Flax."""
        by_formula = tuple(axis.output for axis in self.axes)
        return by_formula, self.torch_output.shape[2:], self.flax_output.shape[2:]

    @property
    def error(self) -> float:
        """Largest difference by largest number; infinite where the sizes are not the same."""
        return difference(self.torch_output, self.flax_output).error


def torch_layer(call: Call) -> Any:
    """What the text for PyTorch makes: an `nn.Module`."""
    return eval(call.torch, {"nn": nn})


def flax_layer(call: Call) -> Any:
    """What the text for Flax makes: an `nnx.Module`."""
    return eval(call.flax, {"nnx": nnx, "parity": parity, "rngs": nnx.Rngs(0)})


def measure(call: Call) -> Measured:
    """Carry random weights from PyTorch's layer to Flax's and run both on random pictures."""
    random = np.random.default_rng(0)
    reference = torch_layer(call).double()
    weights = {n: random.normal(size=a.shape) for n, a in torch_end.export(reference).items()}
    pictures = random.normal(size=(2, reference.in_channels, *call.sizes))
    return Measured(
        axes_of(reference, call.sizes), *run(call, weights, pictures), weights["weight"].size
    )


def connections(
    call: Call,
) -> tuple[Bool[np.ndarray, "out inputs"], Bool[np.ndarray, "out inputs"]]:
    """Which output channels answer to which input channels: in PyTorch, in Flax.

    Found by lighting up one input channel after the other.
    """
    reference = torch_layer(call)
    weights = {n: np.ones(a.shape) for n, a in torch_end.export(reference).items()}
    weights["bias"] *= 0
    one_by_one = np.eye(reference.in_channels)[..., None, None] * np.ones(call.sizes)
    outputs = run(call, weights, one_by_one)
    there, here = (np.moveaxis(output != 0, 0, -1)[:, 0, 0] for output in outputs)
    return there, here


def framed(mode: str, picture: np.ndarray, padding: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture (h, w) in the frame that a padding mode puts around it: by PyTorch, by ours.

    A 1x1 kernel of weight 1 copies all that it sees.
    """
    numbers = f"padding={padding}, padding_mode={mode!r}"
    call = Call(
        f"nn.Conv2d(1, 1, kernel_size=1, bias=False, {numbers})",
        f"parity.layers.Conv(1, 1, kernel_size=(1, 1), bias=False, {numbers}, rngs=rngs)",
    )
    there, here = run(call, {"weight": np.ones((1, 1, 1, 1))}, picture[None, None])
    return there[0, 0], here[0, 0]


def run(
    call: Call, weights: dict[str, np.ndarray], pictures: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The outputs of PyTorch's and Flax's layer on float64 weights, channels first."""
    reference = torch_layer(call).double()
    return _run_torch(reference, weights, pictures), _run_flax(call, reference, weights, pictures)


def _run_torch(
    layer: nn.Module, weights: dict[str, np.ndarray], pictures: np.ndarray
) -> np.ndarray:
    torch_end.load(layer, weights)
    with torch.no_grad(), warnings.catch_warnings():
        # PyTorch says that an even kernel with 'same' costs a copy of the input.
        warnings.filterwarnings("ignore", "Using padding='same' with even kernel", UserWarning)
        return layer(torch.from_numpy(pictures.copy())).numpy().copy()


def _run_flax(
    call: Call, reference: nn.Module, weights: dict[str, np.ndarray], pictures: np.ndarray
) -> np.ndarray:
    with jax.enable_x64(True):
        layer = flax_layer(call)
        mapping = match(torch_end.describe(reference), flax_end.describe(layer))
        flax_end.load(layer, mapping.to_flax(weights))
        output = layer(jnp.array(np.moveaxis(pictures, 1, -1)))
        return np.moveaxis(np.asarray(output), -1, 1)
