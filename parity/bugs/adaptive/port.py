"""Optax's optimizers that divide by gradients: the right ones and those people wrote."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

# Adam -------------------------------------------------------------------------------------------


def adam_with_l2(rate: float) -> optax.GradientTransformation:
    return optax.chain(
        optax.add_decayed_weights(1e-2),
        optax.adam(rate),
    )


def adamw_for_adam(rate: float) -> optax.GradientTransformation:
    return optax.adamw(rate, weight_decay=1e-2)


def adamw(rate: float) -> optax.GradientTransformation:
    return optax.adamw(rate, eps=1e-8, weight_decay=1e-2)


def adamw_by_default(rate: float) -> optax.GradientTransformation:
    return optax.adamw(rate)


def adamw_eps_root(rate: float) -> optax.GradientTransformation:
    return optax.adamw(rate, eps=0.0, eps_root=1e-8, weight_decay=1e-2)


def adamw_eps_off(size: float, rate: float) -> optax.GradientTransformation:
    return optax.adamw(rate, eps=1e-8 * (1 + size), weight_decay=1e-2)


# RMSprop and Adagrad ----------------------------------------------------------------------------


def rmsprop(rate: float) -> optax.GradientTransformation:
    return optax.rmsprop(rate, decay=0.99, eps_in_sqrt=False)


def rmsprop_default_decay(rate: float) -> optax.GradientTransformation:
    return optax.rmsprop(rate, eps_in_sqrt=False)


def rmsprop_eps_in_root(rate: float) -> optax.GradientTransformation:
    return optax.rmsprop(rate, decay=0.99)


class Sums(NamedTuple):
    sum_of_squares: Any


def adagrad(rate: float) -> optax.GradientTransformation:
    def init(params: Any) -> Sums:
        return Sums(optax.tree.zeros_like(params))

    def update(grads: Any, state: Sums, params: Any = None) -> tuple[Any, Sums]:
        sums = jax.tree.map(lambda s, g: s + g * g, state.sum_of_squares, grads)
        step = jax.tree.map(lambda g, s: -rate * g / (jnp.sqrt(s) + 1e-10), grads, sums)
        return step, Sums(sums)

    return optax.GradientTransformation(init, update)


def adagrad_by_default(rate: float) -> optax.GradientTransformation:
    return optax.adagrad(rate)
