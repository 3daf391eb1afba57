"""The small network in Flax, and its optimizers in Optax: the right ones and those people wrote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax import lax

from parity.layers import Linear

Array = jax.Array

DEVICES = 4


class Mlp(nnx.Module):
    """Two linear layers."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.fc1, self.fc2 = Linear(6, 8, rngs=rngs), Linear(8, 4, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        """(n, 6) -> (n, 4)"""
        return self.fc2(jnp.tanh(self.fc1(x)))


# SGD with momentum 0.9 and weight decay 5e-4 ----------------------------------------------------


def sgd(rate: float) -> optax.GradientTransformation:
    return optax.chain(
        optax.add_decayed_weights(5e-4),
        optax.sgd(rate, momentum=0.9),
    )


def sgd_without_decay(rate: float) -> optax.GradientTransformation:
    return optax.sgd(rate, momentum=0.9)


def decay_of_matrices_alone(rate: float) -> optax.GradientTransformation:
    def matrices(params: Any) -> Any:
        return jax.tree.map(lambda p: p.ndim > 1, params)

    return optax.chain(
        optax.add_decayed_weights(5e-4, mask=matrices),
        optax.sgd(rate, momentum=0.9),
    )


def decay_after_momentum(rate: float) -> optax.GradientTransformation:
    return optax.chain(
        optax.trace(0.9),
        optax.add_decayed_weights(5e-4),
        optax.scale_by_learning_rate(rate),
    )


def decay_without_rate(rate: float) -> optax.GradientTransformation:
    return optax.chain(
        optax.sgd(rate, momentum=0.9),
        optax.add_decayed_weights(-5e-4),
    )


def rate_inside_momentum(rate: float) -> optax.GradientTransformation:
    return optax.chain(
        optax.add_decayed_weights(5e-4),
        optax.scale_by_learning_rate(rate),
        optax.trace(0.9),
    )


def averaged_gradients(rate: float) -> optax.GradientTransformation:
    return optax.chain(
        optax.add_decayed_weights(5e-4),
        optax.ema(0.9, debias=False),
        optax.scale_by_learning_rate(rate),
    )


def sgd_rate_off(size: float, rate: float) -> optax.GradientTransformation:
    return sgd(rate * (1 + size))


def sgd_momentum_off(size: float, rate: float) -> optax.GradientTransformation:
    return optax.chain(
        optax.add_decayed_weights(5e-4),
        optax.sgd(rate, momentum=0.9 * (1 + size)),
    )


def sgd_decay_off(size: float, rate: float) -> optax.GradientTransformation:
    return optax.chain(
        optax.add_decayed_weights(5e-4 * (1 + size)),
        optax.sgd(rate, momentum=0.9),
    )


# other kinds of momentum ------------------------------------------------------------------------


def nesterov(rate: float) -> optax.GradientTransformation:
    return optax.sgd(rate, momentum=0.9, nesterov=True)


def plain_momentum(rate: float) -> optax.GradientTransformation:
    return optax.sgd(rate, momentum=0.9)


class Momentum(NamedTuple):
    steps: Array
    trace: Any


def dampened(rate: float) -> optax.GradientTransformation:
    def init(params: Any) -> Momentum:
        return Momentum(jnp.zeros([], jnp.int32), optax.tree.zeros_like(params))

    def update(grads: Any, state: Momentum, params: Any = None) -> tuple[Any, Momentum]:
        share = jnp.where(state.steps == 0, 1.0, 0.5)
        trace = jax.tree.map(lambda t, g: 0.9 * t + share * g, state.trace, grads)
        return optax.tree.scale(-rate, trace), Momentum(state.steps + 1, trace)

    return optax.GradientTransformation(init, update)


# learning rates that change ---------------------------------------------------------------------


class Rate(NamedTuple):
    rate: Array


def rate_set_before_the_step(rate: float) -> optax.GradientTransformation:
    def init(params: Any) -> Rate:
        return Rate(jnp.asarray(rate))

    def update(direction: Any, state: Rate, params: Any = None) -> tuple[Any, Rate]:
        state = Rate(jnp.asarray(rate))
        return optax.tree.scale(-state.rate, direction), state

    return optax.chain(optax.trace(0.9), optax.GradientTransformation(init, update))


def rate_set_after_the_step(rate: float) -> optax.GradientTransformation:
    def init(params: Any) -> Rate:
        return Rate(jnp.asarray(rate))

    def update(direction: Any, state: Rate, params: Any = None) -> tuple[Any, Rate]:
        step = optax.tree.scale(-state.rate, direction)
        return step, Rate(jnp.asarray(rate))

    return optax.chain(optax.trace(0.9), optax.GradientTransformation(init, update))


# gradients on their way to the optimizer --------------------------------------------------------


def clipped(rate: float) -> optax.GradientTransformation:
    def clip(grads: Any, params: Any) -> Any:
        # As clip_grad_norm_ does, which adds 1e-6; optax.clip_by_global_norm does not.
        return optax.tree.scale(jnp.minimum(1, 0.1 / (optax.global_norm(grads) + 1e-6)), grads)

    return optax.chain(optax.stateless(clip), optax.sgd(rate, momentum=0.9))


def mean_of_devices(grads: Any) -> Any:
    return lax.pmean(grads, "devices")


def sum_of_devices(grads: Any) -> Any:
    return lax.psum(grads, "devices")


def over_devices(combine: Callable[[Any], Any]) -> optax.GradientTransformation:
    """Combines the gradients of several devices, which `vmap` stands for; all have the same."""

    def update(grads: Any, params: Any) -> Any:
        on_each = jax.vmap(combine, in_axes=None, axis_size=DEVICES, axis_name="devices")(grads)
        return jax.tree.map(lambda g: g[0], on_each)

    return optax.stateless(update)
