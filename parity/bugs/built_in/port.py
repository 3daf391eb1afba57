"""The CIFAR-10 network in Flax, made of parts: the right ones, and wrong ones that people wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import lax
from jax.nn import initializers

from experiment.recipe import Recipe
from jax_impl.model import Cnn
from jax_impl.pooling import max_pool_2x2
from parity.bridge.rules.rule import Arrays, Site

Array = jax.Array
Batches = list[tuple[np.ndarray, np.ndarray]]

FULL_BATCH = Recipe.batch_size


class Network(Cnn):
    """The network, computed by its parts."""

    def __init__(self, recipe: Recipe, parts: Mapping[str, Callable[..., Any]]) -> None:
        parts["precision"]()
        super().__init__(recipe)
        self.picture, self.pool, self.flatten = (
            parts[name] for name in ("picture", "pool", "flatten")
        )
        parts["initialise"](self, recipe.seed)
        self.conv2.conv_general_dilated = parts["convolve"]

    def __call__(self, x: Array) -> Array:
        """Logits of pictures (n, 32, 32, 3)."""
        x = self.picture(x)
        x = self.pool(nnx.relu(self.conv1(x)))
        x = max_pool_2x2(nnx.relu(self.conv2(x)))
        x = max_pool_2x2(nnx.relu(self.conv3(x)))
        x = nnx.relu(self.fc1(self.flatten(x)))
        return self.fc2(x)


# picture ----------------------------------------------------------------------------------------


def rows_first(x: Array) -> Array:
    return x


def columns_first(x: Array) -> Array:
    return x.swapaxes(1, 2)


# kernels ----------------------------------------------------------------------------------------


def kernel_hwio(x: Array, kernel: Array, strides: Any, padding: Any, **options: Any) -> Array:
    return lax.conv_general_dilated(x, kernel, strides, padding, **options)


def kernel_whio(x: Array, kernel: Array, strides: Any, padding: Any, **options: Any) -> Array:
    return lax.conv_general_dilated(x, kernel.swapaxes(0, 1), strides, padding, **options)


# flattening -------------------------------------------------------------------------------------


def flatten_chw(x: Array) -> Array:
    return x.transpose(0, 3, 1, 2).reshape(len(x), -1)


def flatten_hwc(x: Array) -> Array:
    return x.reshape(len(x), -1)


# weights ----------------------------------------------------------------------------------------


def copy_linear(arrays: Arrays, site: Site) -> dict[str, np.ndarray]:
    return {"kernel": arrays["weight"].T, "bias": arrays["bias"]}


def fc1_weight_off(size: float, arrays: Arrays, site: Site) -> dict[str, np.ndarray]:
    kernel = arrays["weight"].T.copy()
    if site.reference.path == "fc1":
        kernel[0, 0] *= 1 + size
    return {"kernel": kernel, "bias": arrays["bias"]}


# functions --------------------------------------------------------------------------------------


def pool_by_window(x: Array) -> Array:
    return max_pool_2x2(x)


def pool_by_reshape(x: Array) -> Array:
    n, h, w, c = x.shape
    x = x[:, : h // 2 * 2, : w // 2 * 2]
    return x.reshape(n, h // 2, 2, w // 2, 2, c).max(axis=(2, 4))


# initialisation ---------------------------------------------------------------------------------


def torch_default(network: Cnn, seed: int) -> None:
    kernels = initializers.variance_scaling(1 / 3, "fan_in", "uniform")
    _draw(network, seed, kernels)


def lecun_normal(network: Cnn, seed: int) -> None:
    kernels = initializers.lecun_normal()
    _draw(network, seed, kernels)


def he_uniform(network: Cnn, seed: int) -> None:
    kernels = initializers.he_uniform()
    _draw(network, seed, kernels)


def zero_biases(network: Cnn, seed: int) -> None:
    for layer in _layers(network):
        layer.bias[...] = jnp.zeros_like(layer.bias[...])


def _layers(network: Cnn) -> list[Any]:
    return [network.conv1, network.conv2, network.conv3, network.fc1, network.fc2]


def _draw(network: Cnn, seed: int, initializer: Any) -> None:
    for i, layer in enumerate(_layers(network)):
        kernel = layer.kernel[...]
        layer.kernel[...] = initializer(jax.random.key(1000 * seed + i), kernel.shape, kernel.dtype)


# losses -----------------------------------------------------------------------------------------


def loss_of_logits(logits: Array, labels: Array) -> Array:
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def loss_of_probabilities(logits: Array, labels: Array) -> Array:
    probabilities = nnx.softmax(logits)
    return optax.softmax_cross_entropy_with_integer_labels(probabilities, labels).mean()


def loss_by_nominal_batch(logits: Array, labels: Array) -> Array:
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).sum() / FULL_BATCH


# loading ----------------------------------------------------------------------------------------


def loaded_alike(batches: Batches) -> Batches:
    return batches


def last_batch_dropped(batches: Batches) -> Batches:
    return [batch for batch in batches if len(batch[0]) == FULL_BATCH]


def shuffled_by_other_seed(batches: Batches) -> Batches:
    pictures, labels = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    order = np.random.default_rng(7).permutation(len(pictures))
    cuts = range(FULL_BATCH, len(pictures), FULL_BATCH)
    split = [np.split(array[order], cuts) for array in (pictures, labels)]
    return list(zip(*split, strict=True))


def divided_by_256(batches: Batches) -> Batches:
    return [(np.rint(pictures * 255) / 256, labels) for pictures, labels in batches]


def blue_first(batches: Batches) -> Batches:
    return [(np.ascontiguousarray(pictures[:, ::-1]), labels) for pictures, labels in batches]


def half_precision(batches: Batches) -> Batches:
    return [
        (pictures.astype(np.float16).astype(pictures.dtype), labels) for pictures, labels in batches
    ]


def normalised(batches: Batches) -> Batches:
    mean = np.array([0.4914, 0.4822, 0.4465], np.float32)[:, None, None]
    deviation = np.array([0.2470, 0.2435, 0.2616], np.float32)[:, None, None]
    return [((pictures - mean) / deviation, labels) for pictures, labels in batches]


# precision --------------------------------------------------------------------------------------


def precision_as_asked() -> None:
    pass


def x64_off() -> None:
    jax.config.update("jax_enable_x64", False)
