"""One pass over the training pictures, and one over the test pictures.

An epoch is one compiled program that runs on the device from batch to batch: a loop whose body is a
training step. It is compiled once for full batches and once for the short one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import lax
from jaxtyping import Array, Float, Int, Int32

from experiment.console import Watch
from experiment.history import Metrics, pass_metrics
from jax_impl.batches import DeviceBatches, Split, batch
from jax_impl.model import Cnn
from jax_impl.objective import correct, loss

STEPS_BETWEEN_LOOKS = 64
"""On a CPU the program is called for so many steps at a time, for progress and Ctrl-C."""

_State = Any  # what nnx.split leaves of model and optimizer: a pytree of arrays
_Recorded = tuple[Float[Array, " steps"], Int[Array, " steps"]]  # losses, hits


def train_epoch(
    model: Cnn, optimizer: nnx.Optimizer[Cnn], batches: DeviceBatches, watch: Watch
) -> Metrics:
    """Take one step a batch, in place; loss and accuracy are measured before each step.

    `watch` is called with the losses from time to time and may raise; model and optimizer are then
    lost, since the program works in their memory.
    """
    graph, state = nnx.split((model, optimizer))
    losses, hits = [], []
    for rows, first, last in _slices(batches):
        state, recorded = train_steps(graph, state, batches.split, rows, first, last)
        loss_slice, hit_slice = (np.asarray(values[first:last]) for values in recorded)
        watch(loss_slice)
        losses.append(loss_slice)
        hits.append(hit_slice)
    nnx.update((model, optimizer), state)
    return pass_metrics(np.concatenate(losses), int(np.concatenate(hits).sum()), batches.size)


def evaluate(model: Cnn, batches: DeviceBatches) -> Metrics:
    """Loss and accuracy of the model as it is."""
    graph, state = nnx.split(model)
    recorded = [
        _evaluate(graph, state, batches.split, rows)
        for rows in (batches.full, batches.short)
        if len(rows)
    ]
    losses, hits = (np.concatenate(values) for values in zip(*recorded, strict=True))
    return pass_metrics(losses, int(hits.sum()), batches.size)


def _slices(batches: DeviceBatches) -> Iterator[tuple[Int32[Array, "rows n"], int, int]]:
    """Which rows of batches to run, from where to where."""
    on_cpu = next(iter(batches.full.devices())).platform == "cpu"
    for rows in (batches.full, batches.short):
        length = STEPS_BETWEEN_LOOKS if on_cpu else max(len(rows), 1)
        for first in range(0, len(rows), length):
            yield rows, first, min(first + length, len(rows))


@partial(jax.jit, static_argnames="graph", donate_argnames="state")
def train_steps(
    graph: nnx.GraphDef[Any],
    state: _State,
    split: Split,
    rows: Int32[Array, "rows n"],
    first: int,
    last: int,
) -> tuple[_State, _Recorded]:
    """Train on rows `first` to `last` - 1; what is recorded has a place for every row."""

    def step(row: Int32[Array, ""], carry: tuple[_State, _Recorded]) -> tuple[_State, _Recorded]:
        state, (losses, hits) = carry
        model, optimizer = nnx.merge(graph, state)
        pictures, labels = batch(split, rows[row])

        def objective(model: Cnn) -> tuple[Array, Array]:
            logits = model(pictures)
            return loss(logits, labels), logits

        (value, logits), gradients = nnx.value_and_grad(objective, has_aux=True)(model)
        optimizer.update(model, gradients)
        recorded = losses.at[row].set(value), hits.at[row].set(correct(logits, labels))
        return nnx.state((model, optimizer)), recorded

    nothing = jnp.zeros(len(rows)), jnp.zeros(len(rows), int)
    return lax.fori_loop(first, last, step, (state, nothing))


@partial(jax.jit, static_argnames="graph")
def _evaluate(
    graph: nnx.GraphDef[Any], state: _State, split: Split, rows: Int32[Array, "rows n"]
) -> _Recorded:
    model = nnx.merge(graph, state)

    def look(indices: Int32[Array, " n"]) -> tuple[Array, Array]:
        pictures, labels = batch(split, indices)
        logits = model(pictures)
        return loss(logits, labels), correct(logits, labels)

    return lax.map(look, rows)
