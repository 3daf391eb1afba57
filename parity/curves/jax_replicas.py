"""Trains all seeds of the port at once, in one program: `--replicas`, worth its while on a GPU.

Each seed leaves the run folder that the training command would: the loop is that of
`jax_impl.train`, with an epoch of all seeds in the place of an epoch of one. An epoch's seconds are
the seed's share of the wall time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from flax import nnx

from experiment import console
from experiment.batches import epoch_order
from experiment.cifar10 import Cifar10
from experiment.history import EpochRecord, check_finite, check_sound, pass_metrics
from experiment.options import Options
from experiment.provenance import describe
from experiment.run_folder import RunFolder
from experiment.weights import weights_digest
from jax_impl.batches import DeviceBatches, Split, device_batches, to_device
from jax_impl.checkpoint import restore, save
from jax_impl.device import FRAMEWORK, describe_environment, select_device
from jax_impl.epoch import evaluate
from jax_impl.model import Cnn, to_canonical
from jax_impl.optimizer import build_optimizer
from jax_impl.replicas import stack, train_replicas, unstack, use_every_core
from parity.curves.planted import without_short_batch
from parity.curves.trainings import Wanted

Report = Callable[[str], None]


@dataclass
class _Run:
    """One seed's training."""

    wanted: Wanted
    folder: RunFolder
    model: Cnn
    optimizer: nnx.Optimizer[Cnn]
    records: list[EpochRecord]


def train(wanted: Sequence[Wanted], data: Cifar10, spec: str, device: str, report: Report) -> None:
    """Train each from where it is to its end. `data` is as limited as the recipes ask.

    Raises `UserError` as the training command does.
    """
    use_every_core(len(wanted))
    chosen = select_device(device, wanted[0].recipe.precision)
    environment = describe_environment(chosen)
    runs = []
    for one in wanted:
        options = Options(recipe=one.recipe, data=spec, out=one.path, resume=True)
        run = _begun(one, options)
        start = None if run.records else weights_digest(to_canonical(run.model))
        run.folder.begin(describe(environment, data, options, start), data)
        if not run.records:
            save(run.folder.checkpoint, run.model, run.optimizer, 0)
        run.records = run.folder.history.keep_until(len(run.records))
        runs.append(run)
    split = to_device(data.train_images, data.train_labels, chosen)
    tests = device_batches(
        to_device(data.test_images, data.test_labels, chosen),
        np.arange(len(data.test_labels)),
        wanted[0].recipe.batch_size,
    )
    for epoch in range(1, wanted[0].recipe.epochs + 1):
        # Where they were interrupted while they were saved, some are an epoch ahead.
        active = [run for run in runs if len(run.records) == epoch - 1]
        if active:
            _epoch(active, epoch, split, tests, report)
    for run in runs:
        run.folder.draw_curves(run.records, data.notice)


def _begun(one: Wanted, options: Options) -> _Run:
    folder = RunFolder(options, FRAMEWORK)
    model = Cnn(one.recipe)
    optimizer = build_optimizer(model, one.recipe)
    done = restore(folder.checkpoint, model, optimizer, console.note)
    if done is None:
        folder.check_nothing_finished()
    return _Run(one, folder, model, optimizer, folder.history.read()[: done or 0])


def _epoch(
    runs: Sequence[_Run], epoch: int, split: Split, tests: DeviceBatches, report: Report
) -> None:
    """One epoch of all of these, and what each leaves behind."""
    size = len(split.labels)
    started = time.perf_counter()
    losses, hits = _trained(runs, [_batches(run.wanted, epoch, split) for run in runs])
    seconds = (time.perf_counter() - started) / len(runs)
    for place, run in enumerate(runs):
        check_finite(losses[place], epoch, first_step=1)
        metrics = pass_metrics(losses[place], int(hits[place].sum()), size)
        tested = evaluate(run.model, tests)
        weights = to_canonical(run.model)
        check_sound(epoch, tested, weights)
        record = EpochRecord.of(epoch, metrics, tested, size, seconds)
        run.folder.history.append(record)
        save(run.folder.checkpoint, run.model, run.optimizer, epoch)
        run.folder.keep_weights(weights, epoch)
        run.records.append(record)
        report(f"seed {run.wanted.seed}: {record.line()}")


def _trained(
    runs: Sequence[_Run], passes: Sequence[DeviceBatches]
) -> tuple[np.ndarray, np.ndarray]:
    """Losses and hits (replicas, steps) of one epoch; the models and optimizers are trained."""
    trainings = [(run.model, run.optimizer) for run in runs]
    replicas, losses, hits = stack(trainings), [], []
    for rows in ([one.full for one in passes], [one.short for one in passes]):
        if len(rows[0]):
            replicas, some, right = train_replicas(replicas, passes[0].split, jnp.stack(rows))
            losses.append(some)
            hits.append(right)
    unstack(replicas, trainings)
    return np.concatenate(losses, axis=1), np.concatenate(hits, axis=1)


def _batches(wanted: Wanted, epoch: int, split: Split) -> DeviceBatches:
    order = epoch_order(wanted.recipe.seed, epoch, len(split.labels))
    if wanted.drop_last:
        order = without_short_batch(order)
    return device_batches(split, order, wanted.recipe.batch_size)
