"""The chain of convolutions and poolings in Flax, made of parts: right ones, and wrong ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax

from parity.layers import Conv, Linear
from parity.layers.initial import uniform

Array = jax.Array

WINDOW = (3, 3)


Parts = Mapping[str, Callable[..., Any]]


class Convolutions(nnx.Module):
    """The beginning of a classifier: pictures (n, h, w, 3) -> (n, 5)."""

    def __init__(self, parts: Parts, rngs: nnx.Rngs) -> None:
        self.stem = parts["stem"](rngs)
        self.pool = Pool(parts["pool"])
        self.grouped = Grouped(parts["join"], rngs)
        self.dilated = parts["dilated"](rngs)
        self.head = Linear(6, 5, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        x = self.pool(self.stem(x))
        x = jnp.tanh(self.dilated(self.grouped(x)))
        return self.head(x.mean((1, 2)))


class PaddingModes(nnx.Module):
    """A filter of pictures that invents no dark border: (n, h, w, 3) -> (n, h, w, 3)."""

    def __init__(self, parts: Parts, rngs: nnx.Rngs) -> None:
        self.reflect = parts["reflect"](rngs)
        self.replicate = parts["replicate"](rngs)
        self.circular = parts["circular"](rngs)

    def __call__(self, x: Array) -> Array:
        return jnp.tanh(self.circular(self.replicate(self.reflect(x))))


class Upsampling(nnx.Module):
    """A decoder's last layers, and the mean of what it draws: (n, h, w, 3) -> (n, 2)."""

    def __init__(self, parts: Parts, rngs: nnx.Rngs) -> None:
        self.average = Pool(parts["average"])
        self.up = Up(parts["transpose"], parts["bound"], rngs)

    def __call__(self, x: Array) -> Array:
        return jnp.tanh(self.up(self.average(x))).mean((1, 2))


def conv(inputs: int, outputs: int, rngs: nnx.Rngs, **options: Any) -> nnx.Conv:
    return nnx.Conv(inputs, outputs, WINDOW, rngs=rngs, **pytorch_start(inputs), **options)


def pytorch_start(inputs: int) -> dict[str, Any]:
    """Options of a layer that starts as PyTorch's does, whose outputs see so many channels."""
    bound = (inputs * 3 * 3) ** -0.5

    def start(key: Array, shape: Any, dtype: Any = jnp.float32, out_sharding: Any = None) -> Array:
        return jax.random.uniform(key, shape, dtype, -bound, bound)

    return {"kernel_init": start, "bias_init": start}


class Pool(nnx.Module):
    """A pooling as a layer."""

    def __init__(self, function: Callable[[Array], Array]) -> None:
        self.function = function

    def __call__(self, x: Array) -> Array:
        return self.function(x)


# strides ----------------------------------------------------------------------------------------


def strided(rngs: nnx.Rngs) -> nnx.Conv:
    return conv(3, 6, rngs, strides=2, padding=1)


def strided_same(rngs: nnx.Rngs) -> nnx.Conv:
    return conv(3, 6, rngs, strides=2, padding="SAME")


# pooling ----------------------------------------------------------------------------------------


def max_pool(x: Array) -> Array:
    return nnx.max_pool(x, (3, 3), strides=(2, 2), padding=((1, 1), (1, 1)))


def max_pool_same(x: Array) -> Array:
    return nnx.max_pool(x, (3, 3), strides=(2, 2), padding="SAME")


def avg_pool(x: Array) -> Array:
    return nnx.avg_pool(x, (3, 3), padding=((1, 1), (1, 1)), count_include_pad=False)


def avg_pool_of_padding(x: Array) -> Array:
    return nnx.avg_pool(x, (3, 3), padding=((1, 1), (1, 1)))


# groups -----------------------------------------------------------------------------------------


class Grouped(nnx.Module):
    """A convolution in two groups as one convolution a group, on PyTorch's weight."""

    def __init__(self, join: Callable[[Sequence[Array]], Array], rngs: nnx.Rngs) -> None:
        bound = (3 * 3 * 3) ** -0.5
        self.weight = uniform(rngs, (6, 3, *WINDOW), bound)
        self.bias = uniform(rngs, (6,), bound)
        self.join = join

    def __call__(self, x: Array) -> Array:
        groups = zip(jnp.split(x, 2, axis=-1), jnp.split(self.weight[...], 2), strict=True)
        layout = ("NHWC", "OIHW", "NHWC")
        found = [
            lax.conv_general_dilated(part, weight, (1, 1), "SAME", dimension_numbers=layout)
            for part, weight in groups
        ]
        return self.join(found) + self.bias[...]


def group_after_group(outputs: Sequence[Array]) -> Array:
    return jnp.concatenate(outputs, axis=-1)


def groups_interleaved(outputs: Sequence[Array]) -> Array:
    n, h, w, _ = outputs[0].shape
    return jnp.stack(outputs, axis=-1).reshape(n, h, w, -1)


# dilation ---------------------------------------------------------------------------------------


def dilated(rngs: nnx.Rngs) -> nnx.Conv:
    return conv(6, 6, rngs, kernel_dilation=2, padding="SAME")


def dilation_ignored(rngs: nnx.Rngs) -> nnx.Conv:
    return conv(6, 6, rngs, padding="SAME")


# padding modes ----------------------------------------------------------------------------------


def reflect(rngs: nnx.Rngs) -> nnx.Conv:
    return conv(3, 4, rngs, padding="REFLECT")


def reflect_dropped(rngs: nnx.Rngs) -> nnx.Conv:
    return conv(3, 4, rngs, padding="SAME")


def replicate(rngs: nnx.Rngs) -> Conv:
    return Conv(4, 4, (3, 3), padding=1, padding_mode="replicate", rngs=rngs)


def replicate_dropped(rngs: nnx.Rngs) -> Conv:
    return Conv(4, 4, (3, 3), padding=1, rngs=rngs)


def circular(rngs: nnx.Rngs) -> nnx.Conv:
    return conv(4, 3, rngs, padding="CIRCULAR")


def circular_dropped(rngs: nnx.Rngs) -> nnx.Conv:
    return conv(4, 3, rngs, padding="SAME")


# transposed convolution -------------------------------------------------------------------------


class Up(nnx.Module):
    """A transposed convolution that keeps PyTorch's weight: (in, out, height, width)."""

    def __init__(self, transpose: Callable[..., Array], bound: Any, rngs: nnx.Rngs) -> None:
        self.transpose = transpose
        size = bound(3, 2)
        self.weight = uniform(rngs, (3, 2, *WINDOW), size)
        self.bias = uniform(rngs, (2,), size)

    def __call__(self, x: Array) -> Array:
        return self.transpose(x, self.weight[...]) + self.bias[...]


def kernel_flipped(x: Array, weight: Array) -> Array:
    kernel = weight.transpose(2, 3, 1, 0)
    padding = ((1, 2), (1, 2))
    return lax.conv_transpose(x, kernel, (2, 2), padding, transpose_kernel=True)


def kernel_not_flipped(x: Array, weight: Array) -> Array:
    kernel = weight.transpose(2, 3, 0, 1)
    padding = ((1, 2), (1, 2))
    return lax.conv_transpose(x, kernel, (2, 2), padding)


def padding_of_the_input(x: Array, weight: Array) -> Array:
    kernel = weight.transpose(2, 3, 1, 0)
    padding = ((1, 1), (1, 1))
    return lax.conv_transpose(x, kernel, (2, 2), padding, transpose_kernel=True)


def padding_same(x: Array, weight: Array) -> Array:
    kernel = weight.transpose(2, 3, 1, 0)
    return lax.conv_transpose(x, kernel, (2, 2), "SAME", transpose_kernel=True)


def bound_by_outputs(inputs: int, outputs: int) -> float:
    return (outputs * 3 * 3) ** -0.5


def bound_by_inputs(inputs: int, outputs: int) -> float:
    return (inputs * 3 * 3) ** -0.5
