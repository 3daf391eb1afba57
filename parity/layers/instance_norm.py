"""Instance norm with PyTorch's running statistics."""

from __future__ import annotations

import jax.numpy as jnp
from flax import nnx
from jax import lax
from jaxtyping import Array, Float

from parity.layers.running_statistics import follow


class InstanceNorm(nnx.Module):
    """`torch.nn.InstanceNorm1d`, `2d` or `3d`; channels are the last axis.

    With `track_running_stats` the running mean and unbiased variance, averaged over the batch, are
    kept, and used where `use_running_average` is set (`model.eval()` does).
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        use_running_average: bool = False,
    ) -> None:
        self.eps, self.momentum = eps, momentum
        self.use_running_average = use_running_average
        self.weight = nnx.data(nnx.Param(jnp.ones(num_features)) if affine else None)
        self.bias = nnx.data(nnx.Param(jnp.zeros(num_features)) if affine else None)
        tracked = track_running_stats
        self.running_mean = nnx.data(nnx.BatchStat(jnp.zeros(num_features)) if tracked else None)
        self.running_var = nnx.data(nnx.BatchStat(jnp.ones(num_features)) if tracked else None)

    def __call__(self, x: Float[Array, "n *space c"]) -> Float[Array, "n *space c"]:
        if self.running_mean is not None and self.use_running_average:
            assert self.running_var is not None
            mean, variance = self.running_mean[...], self.running_var[...]
        else:
            axes = tuple(range(1, x.ndim - 1))
            mean = x.mean(axes, keepdims=True)
            variance = jnp.square(x - mean).mean(axes, keepdims=True)
            self._follow(lax.stop_gradient(mean), lax.stop_gradient(variance), x)
        y = (x - mean) * lax.rsqrt(variance + self.eps)
        if self.weight is None or self.bias is None:
            return y
        return y * self.weight[...] + self.bias[...]

    def _follow(self, mean: Array, variance: Array, x: Float[Array, "n *space c"]) -> None:
        if self.running_mean is None or self.running_var is None:
            return
        count = x.size // (x.shape[0] * x.shape[-1])
        axes = tuple(range(x.ndim - 1))
        follow(self.running_mean, mean.mean(axes), self.momentum)
        follow(self.running_var, variance.mean(axes) * (count / (count - 1)), self.momentum)
