"""The Linear and its losses in Flax and Optax: the right ones, and wrong ones people wrote."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from parity import layers

Array = jax.Array

CLASS_WEIGHTS = (0.5, 1.0, 2.0, 4.0)


class Network(nnx.Module):
    """Rows (n, 5) to outputs (n, 4)."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.fc = layers.Linear(5, 4, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        return self.fc(x)


# label smoothing --------------------------------------------------------------------------------


def smoothed(logits: Array, labels: Array) -> Array:
    classes = logits.shape[-1]
    targets = optax.smooth_labels(nnx.one_hot(labels, classes, dtype=logits.dtype), 0.1)
    return optax.softmax_cross_entropy(logits, targets).mean()


def not_smoothed(logits: Array, labels: Array) -> Array:
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def smoothed_over_the_others(logits: Array, labels: Array) -> Array:
    classes = logits.shape[-1]
    one_hot = nnx.one_hot(labels, classes, dtype=logits.dtype)
    targets = one_hot * 0.9 + (1 - one_hot) * 0.1 / (classes - 1)
    return optax.softmax_cross_entropy(logits, targets).mean()


# class weights and ignored examples -------------------------------------------------------------


def weighted(logits: Array, labels: Array) -> Array:
    valid = labels != -100
    labels = jnp.where(valid, labels, 0)
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    weights = jnp.where(valid, jnp.array(CLASS_WEIGHTS)[labels], 0)
    return (weights * losses).sum() / weights.sum()


def weighted_sum_by_count(logits: Array, labels: Array) -> Array:
    valid = labels != -100
    labels = jnp.where(valid, labels, 0)
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    weights = jnp.where(valid, jnp.array(CLASS_WEIGHTS)[labels], 0)
    return (weights * losses).sum() / valid.sum()


def ignored_in_the_sum_alone(logits: Array, labels: Array) -> Array:
    valid = labels != -100
    labels = jnp.where(valid, labels, 0)
    losses = jnp.where(valid, optax.softmax_cross_entropy_with_integer_labels(logits, labels), 0)
    weights = jnp.array(CLASS_WEIGHTS)[labels]
    return (weights * losses).sum() / weights.sum()


# squared error ----------------------------------------------------------------------------------


def squared(outputs: Array, targets: Array) -> Array:
    return optax.squared_error(outputs, targets).mean()


def l2_loss(outputs: Array, targets: Array) -> Array:
    return optax.l2_loss(outputs, targets).mean()
