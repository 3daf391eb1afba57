"""The port of the CIFAR-10 network, rewritten without any mistake."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax

from experiment.recipe import Recipe
from jax_impl.model import Cnn
from jax_impl.pooling import max_pool_2x2

Array = jax.Array


def flattened(x: Array) -> Array:
    """(n, h, w, c) -> (n, c * h * w)."""
    return x.transpose(0, 3, 1, 2).reshape(len(x), -1)


class PoolFirst(Cnn):
    """Harmless: the maximum of ReLUs is the ReLU of the maximum."""

    def __call__(self, x: Array) -> Array:
        for conv in (self.conv1, self.conv2, self.conv3):
            x = nnx.relu(max_pool_2x2(conv(x)))
        return self.fc2(nnx.relu(self.fc1(flattened(x))))


def _patches_times_kernel(
    lhs: Array, rhs: Array, strides: Any, padding: Any, **options: Any
) -> Array:
    height, width, channels, features = rhs.shape
    patches = lax.conv_general_dilated_patches(
        lhs, (height, width), strides, padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )  # (n, oh, ow, channels * height * width)
    kernel = rhs.transpose(2, 0, 1, 3).reshape(channels * height * width, features)
    return patches @ kernel


class AsProduct(Cnn):
    """Harmless: conv2 as patches times kernel."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        self.conv2.conv_general_dilated = _patches_times_kernel


class ReorderedSums(Cnn):
    """Harmless: conv3's channels and fc1's features are summed from the last to the first."""

    def __call__(self, x: Array) -> Array:
        x = max_pool_2x2(nnx.relu(self.conv1(x)))
        x = max_pool_2x2(nnx.relu(self.conv2(x)))
        conv, dense = self.conv3, self.fc1
        kernel = conv.kernel[...][:, :, ::-1]
        x = lax.conv_general_dilated(
            x[..., ::-1], kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        x = flattened(max_pool_2x2(nnx.relu(x + conv.bias[...])))
        x = x[:, ::-1] @ dense.kernel[...][::-1] + dense.bias[...]
        return self.fc2(nnx.relu(x))


class FusedBias(Cnn):
    """Harmless: fc1's bias is one more row of its kernel, for an input that is always one."""

    def __call__(self, x: Array) -> Array:
        for conv in (self.conv1, self.conv2, self.conv3):
            x = max_pool_2x2(nnx.relu(conv(x)))
        x = flattened(x)
        ones = jnp.ones((len(x), 1), x.dtype)
        kernel = jnp.concatenate([self.fc1.kernel[...], self.fc1.bias[...][None]])
        x = jnp.concatenate([x, ones], axis=1) @ kernel
        return self.fc2(nnx.relu(x))


class OneSidedPadding(Cnn):
    """Harmless: a row and a column of zeros on one side, and the outputs made of them cut off."""

    def __call__(self, x: Array) -> Array:
        x = jnp.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)))
        x = max_pool_2x2(nnx.relu(self.conv1(x)[:, :-1, :-1]))
        x = max_pool_2x2(nnx.relu(self.conv2(x)))
        x = max_pool_2x2(nnx.relu(self.conv3(x)))
        return self.fc2(nnx.relu(self.fc1(flattened(x))))


class _ConvRelu(nnx.Conv):
    def __call__(self, inputs: Array, *args: Any, **kwargs: Any) -> Array:
        return nnx.relu(super().__call__(inputs, *args, **kwargs))


class _LinearRelu(nnx.Linear):
    def __call__(self, inputs: Array, *args: Any, **kwargs: Any) -> Array:
        return nnx.relu(super().__call__(inputs, *args, **kwargs))


class ReluInside(Cnn):
    """Harmless: conv1 and fc1 are modules that include their ReLU."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        rngs, (features, _, last) = nnx.Rngs(recipe.seed), recipe.channels
        conv, dense = self.conv1, self.fc1
        self.conv1 = _ConvRelu(3, features, (3, 3), padding="VALID", rngs=rngs)
        self.fc1 = _LinearRelu(last * 4, recipe.hidden, rngs=rngs)
        for ours, theirs in ((self.conv1, conv), (self.fc1, dense)):
            ours.kernel, ours.bias = theirs.kernel, theirs.bias

    def __call__(self, x: Array) -> Array:
        x = max_pool_2x2(self.conv1(x))
        x = max_pool_2x2(nnx.relu(self.conv2(x)))
        x = max_pool_2x2(nnx.relu(self.conv3(x)))
        return self.fc2(self.fc1(flattened(x)))
