"""The network in Flax NNX.

python -m jax_impl.model      # its layers, output shapes and parameter counts
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.nn.initializers import Initializer
from jaxtyping import Array, Float

from experiment.console import print_anywhere
from experiment.recipe import Recipe
from jax_impl.convolution import conv_general_dilated
from jax_impl.pooling import max_pool_2x2


class Cnn(nnx.Module):
    """Three convolutions and two fully connected layers; 246,474 parameters.

    Weights and biases start as PyTorch does it, U(-1/sqrt(fan_in), 1/sqrt(fan_in)), from
    `recipe.seed`.
    """

    def __init__(self, recipe: Recipe) -> None:
        rngs = nnx.Rngs(recipe.seed)
        c1, c2, c3 = recipe.channels
        self.conv1 = _conv(3, c1, kernel_size=3, rngs=rngs)
        self.conv2 = _conv(c1, c2, kernel_size=3, rngs=rngs)
        self.conv3 = _conv(c2, c3, kernel_size=3, rngs=rngs)
        self.fc1 = _linear(c3 * 2 * 2, recipe.hidden, rngs=rngs)
        self.fc2 = _linear(recipe.hidden, recipe.classes, rngs=rngs)

    def __call__(self, x: Float[Array, "n 32 32 3"]) -> Float[Array, "n 10"]:
        """Logits of pictures in [0, 1]. XLA's layout is NHWC; PyTorch's is NCHW."""
        x = max_pool_2x2(nnx.relu(self.conv1(x)))  # (n, 15, 15, 64)
        x = max_pool_2x2(nnx.relu(self.conv2(x)))  # (n, 6, 6, 64)
        x = max_pool_2x2(nnx.relu(self.conv3(x)))  # (n, 2, 2, 128)
        x = x.transpose(0, 3, 1, 2).reshape(len(x), -1)  # (n, 512) in C, H, W order
        x = nnx.relu(self.fc1(x))  # (n, 256)
        return self.fc2(x)


def to_canonical(model: Cnn) -> dict[str, np.ndarray]:
    """The weights under PyTorch's names in PyTorch's layouts: copies on the host, float32."""
    arrays = {}
    for name, layer in _layers(model).items():
        kernel = np.asarray(layer.kernel[...])
        # (kh, kw, in, out) -> (out, in, kh, kw), or (in, out) -> (out, in)
        arrays[f"{name}.weight"] = np.moveaxis(kernel, (-1, -2), (0, 1)).copy()
        arrays[f"{name}.bias"] = np.array(_bias(layer)[...])
    return arrays


def load_canonical(model: Cnn, arrays: Mapping[str, np.ndarray]) -> None:
    """Put weights in canonical form into the model, in place."""
    for name, layer in _layers(model).items():
        kernel = np.moveaxis(arrays[f"{name}.weight"], (0, 1), (-1, -2))
        # jnp.array copies; jnp.asarray may go on using the caller's memory.
        layer.kernel[...] = jnp.array(kernel)
        _bias(layer)[...] = jnp.array(arrays[f"{name}.bias"])


def summary(model: Cnn, batch_size: int) -> str:
    """The layer table of `nnx.tabulate`."""
    plain = {"width": 100, "force_terminal": False, "color_system": None}
    table = nnx.tabulate(model, jnp.zeros((batch_size, 32, 32, 3)), console_kwargs=plain)
    return "\n".join(line.rstrip() for line in table.strip().splitlines())


def _layers(model: Cnn) -> dict[str, nnx.Conv | nnx.Linear]:
    return {name: getattr(model, name) for name in ("conv1", "conv2", "conv3", "fc1", "fc2")}


def _bias(layer: nnx.Conv | nnx.Linear) -> nnx.Param[Array]:
    assert layer.bias is not None  # every layer of this network has one
    return layer.bias


def _conv(inputs: int, outputs: int, kernel_size: int, rngs: nnx.Rngs) -> nnx.Conv:
    """`nn.Conv2d(inputs, outputs, kernel_size)`: no padding, PyTorch's initial distribution."""
    return nnx.Conv(
        inputs,
        outputs,
        kernel_size=(kernel_size, kernel_size),
        padding="VALID",
        kernel_init=_pytorch_uniform(inputs * kernel_size**2),
        bias_init=_pytorch_uniform(inputs * kernel_size**2),
        conv_general_dilated=conv_general_dilated,
        rngs=rngs,
    )


def _linear(inputs: int, outputs: int, rngs: nnx.Rngs) -> nnx.Linear:
    """`nn.Linear(inputs, outputs)` with PyTorch's initial distribution."""
    init = _pytorch_uniform(inputs)
    return nnx.Linear(inputs, outputs, kernel_init=init, bias_init=init, rngs=rngs)


def _pytorch_uniform(fan_in: int) -> Initializer:
    """U(-1/sqrt(fan_in), 1/sqrt(fan_in)), as torch.nn.Conv2d.reset_parameters draws both."""
    bound = fan_in**-0.5

    def init(key: Array, shape: Any, dtype: Any = jnp.float32, out_sharding: Any = None) -> Array:
        return jax.random.uniform(key, shape, dtype, minval=-bound, maxval=bound)

    return init


if __name__ == "__main__":
    print_anywhere()
    print(summary(Cnn(Recipe()), Recipe().batch_size))
