"""Batch norm with PyTorch's running variance and momentum."""

from __future__ import annotations

import jax.numpy as jnp
from flax import nnx
from jax import lax
from jaxtyping import Array, Float

from parity.layers.running_statistics import follow


class BatchNorm(nnx.Module):
    """`torch.nn.BatchNorm1d`, `2d` or `3d`; channels are the last axis.

    The running variance is the unbiased one, which `nnx.BatchNorm`'s is not, and `momentum` the
    share of the new batch. `model.train()` and `model.eval()` switch `use_running_average`.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        *,
        use_running_average: bool = False,
    ) -> None:
        self.eps, self.momentum = eps, momentum
        self.use_running_average = use_running_average
        self.weight = nnx.data(nnx.Param(jnp.ones(num_features)) if affine else None)
        self.bias = nnx.data(nnx.Param(jnp.zeros(num_features)) if affine else None)
        self.running_mean = nnx.BatchStat(jnp.zeros(num_features))
        self.running_var = nnx.BatchStat(jnp.ones(num_features))

    def __call__(self, x: Float[Array, "n *space c"]) -> Float[Array, "n *space c"]:
        if self.use_running_average:
            mean, variance = self.running_mean[...], self.running_var[...]
        else:
            axes = tuple(range(x.ndim - 1))
            mean = x.mean(axes)
            variance = jnp.square(x - mean).mean(axes)
            count = x.size // x.shape[-1]
            follow(self.running_mean, lax.stop_gradient(mean), self.momentum)
            unbiased = variance * (count / (count - 1))
            follow(self.running_var, lax.stop_gradient(unbiased), self.momentum)
        y = (x - mean) * lax.rsqrt(variance + self.eps)
        if self.weight is None or self.bias is None:
            return y
        return y * self.weight[...] + self.bias[...]
