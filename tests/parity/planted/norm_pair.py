"""A small pair with a batch norm, which the port writes as one scale and one shift."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.pair import Pair, channels_last


def _reference(seed: int) -> Any:
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4)
            self.head = nn.Linear(4, 3)

        def forward(self, x: Any) -> Any:
            return self.head(self.norm(self.conv(x)).relu().mean((2, 3)))

    return Net()


def _port(seed: int) -> Any:
    import jax.numpy as jnp
    from flax import nnx
    from jax import lax

    from parity import layers

    class ScaleAndShift(layers.BatchNorm):
        def __call__(self, x: Any) -> Any:
            scaled = self.weight[...]
            if self.use_running_average:
                mean, variance = self.running_mean[...], self.running_var[...]
            else:
                super().__call__(x)  # moves the running statistics
                mean = x.mean((0, 1, 2))
                variance = jnp.square(x).mean((0, 1, 2)) - mean * mean
            scale = scaled * lax.rsqrt(variance + self.eps)
            return x * scale + (self.bias[...] - mean * scale)

    class Net(nnx.Module):
        def __init__(self, rngs: nnx.Rngs) -> None:
            self.conv = layers.Conv(2, 4, (3, 3), rngs=rngs)
            self.norm = ScaleAndShift(4)
            self.head = layers.Linear(4, 3, rngs=rngs)

        def __call__(self, x: Any) -> Any:
            return self.head(nnx.relu(self.norm(self.conv(x))).mean((1, 2)))

    return Net(nnx.Rngs(seed))


def _squared(outputs: Any, targets: Any) -> Any:
    return ((outputs - targets) ** 2).mean()


def _normal(*shape: int) -> Any:
    return lambda generator, n: generator.normal(size=(n, *shape)).astype(np.float32)


NORM = Pair(
    name="norm",
    reference=_reference,
    port=_port,
    inputs=_normal(2, 6, 5),
    targets=_normal(3),
    reference_loss=_squared,
    port_loss=_squared,
    port_inputs=channels_last,
)
