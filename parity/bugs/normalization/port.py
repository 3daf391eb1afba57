"""The two networks in Flax, made of parts: the right ones, and wrong ones that people wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax

from parity import layers

Array = jax.Array
Parts = Mapping[str, Callable[..., Any]]


class Network(nnx.Module):
    """Pictures (n, h, w, 3) to logits (n, 4)."""

    def __init__(self, rngs: nnx.Rngs, parts: Parts) -> None:
        self.conv = parts["convolution"](rngs)
        self.bn = parts["batch_norm"](rngs)
        self.group = parts["group_norm"](rngs)
        self.norm = parts["layer_norm"](rngs)
        self.head = layers.Linear(6, 4, rngs=rngs)
        self.normalise = parts["normalise"]
        self.deterministic = False  # train() and eval() switch it

    def __call__(self, x: Array) -> Array:
        x = self.normalise(self.bn, self.conv(x), training=not self.deterministic)
        x = nnx.relu(self.group(nnx.relu(x)))
        return self.head(self.norm(x.mean((1, 2))))


class Sensor(nnx.Module):
    """Readings (n, 5) to logits (n, 4)."""

    def __init__(self, rngs: nnx.Rngs, parts: Parts) -> None:
        self.bn = BatchNorm(5, parts["variance"], parts["tracked"])
        self.head = layers.Linear(5, 4, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        return self.head(self.bn(x))


class BatchNorm(nnx.Module):
    """A batch-norm written by hand."""

    def __init__(
        self,
        features: int,
        variance: Callable[[Array], Array],
        tracked: Callable[[Array, int], Array],
    ) -> None:
        self.weight = nnx.Param(jnp.ones(features))
        self.bias = nnx.Param(jnp.zeros(features))
        self.running_mean = nnx.BatchStat(jnp.zeros(features))
        self.running_var = nnx.BatchStat(jnp.ones(features))
        self.variance, self.tracked = variance, tracked
        self.use_running_average = False

    def __call__(self, x: Array) -> Array:
        if self.use_running_average:
            mean, variance = self.running_mean[...], self.running_var[...]
        else:
            mean, variance = x.mean(0), self.variance(x)
            self._follow(self.running_mean, mean)
            self._follow(self.running_var, self.tracked(variance, len(x)))
        y = (x - mean) * lax.rsqrt(variance + 1e-5)
        return y * self.weight[...] + self.bias[...]

    def _follow(self, running: Any, value: Array) -> None:
        running.set_value(0.9 * running[...] + 0.1 * lax.stop_gradient(value))


# convolution before a batch-norm ----------------------------------------------------------------


def convolution_with_bias(rngs: nnx.Rngs) -> nnx.Module:
    return layers.Conv(3, 6, (3, 3), rngs=rngs)


def convolution_without_bias(rngs: nnx.Rngs) -> nnx.Module:
    return layers.Conv(3, 6, (3, 3), bias=False, rngs=rngs)


# batch-norm's settings --------------------------------------------------------------------------


def batch_norm(rngs: nnx.Rngs) -> nnx.Module:
    return nnx.BatchNorm(6, momentum=0.9, epsilon=1e-5, rngs=rngs)


def batch_norm_eps_of_keras(rngs: nnx.Rngs) -> nnx.Module:
    return nnx.BatchNorm(6, momentum=0.9, epsilon=1e-3, rngs=rngs)


def batch_norm_default_momentum(rngs: nnx.Rngs) -> nnx.Module:
    return nnx.BatchNorm(6, epsilon=1e-5, rngs=rngs)


def batch_norm_momentum_of_torch(rngs: nnx.Rngs) -> nnx.Module:
    return nnx.BatchNorm(6, momentum=0.1, epsilon=1e-5, rngs=rngs)


# training and eval mode -------------------------------------------------------------------------


def normalise(bn: nnx.BatchNorm, x: Array, training: bool) -> Array:
    return bn(x, use_running_average=not training)


def normalise_mode_swapped(bn: nnx.BatchNorm, x: Array, training: bool) -> Array:
    return bn(x, use_running_average=training)


# other norms ------------------------------------------------------------------------------------


def layer_norm(rngs: nnx.Rngs) -> nnx.Module:
    return nnx.LayerNorm(6, epsilon=1e-5, rngs=rngs)


def layer_norm_default_eps(rngs: nnx.Rngs) -> nnx.Module:
    return nnx.LayerNorm(6, rngs=rngs)


def group_norm(rngs: nnx.Rngs) -> nnx.Module:
    return nnx.GroupNorm(6, num_groups=2, epsilon=1e-5, rngs=rngs)


def group_norm_default_eps(rngs: nnx.Rngs) -> nnx.Module:
    return nnx.GroupNorm(6, num_groups=2, rngs=rngs)


# variance by hand -------------------------------------------------------------------------------


def variance(x: Array) -> Array:
    return jnp.square(x - x.mean(0)).mean(0)


def fast_variance(x: Array) -> Array:
    return jnp.square(x).mean(0) - jnp.square(x.mean(0))


def tracked_unbiased(variance: Array, count: int) -> Array:
    return variance * count / (count - 1)


def tracked_biased(variance: Array, count: int) -> Array:
    return variance
