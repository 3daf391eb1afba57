"""Train the CNN in JAX.

python -m jax_impl.train                                  # the whole recipe, ten epochs
python -m jax_impl.train --epochs 1 --train-limit 6400    # a first look
python -m jax_impl.train --out runs/a --resume            # go on where runs/a stopped
"""

from __future__ import annotations

if __name__ == "__main__":  # before the slow imports, so that Ctrl-C ends them quietly too
    from experiment.interrupts import end_quietly_until_the_command_runs

    end_quietly_until_the_command_runs()

import sys
import time
from pathlib import Path

import numpy as np

from experiment import console
from experiment.batches import batch_count, epoch_order
from experiment.cifar10 import load
from experiment.command import run
from experiment.history import EpochRecord, check_sound
from experiment.interrupts import uninterrupted
from experiment.options import NATIVE, Options
from experiment.provenance import describe
from experiment.run_folder import RunFolder
from experiment.scalars import scalar_log
from experiment.weights import read_weights, weights_digest
from jax_impl.batches import device_batches, to_device
from jax_impl.checkpoint import restore, save
from jax_impl.device import FRAMEWORK, describe_environment, select_device
from jax_impl.epoch import evaluate, train_epoch
from jax_impl.model import Cnn, load_canonical, summary, to_canonical
from jax_impl.optimizer import build_optimizer


def train(options: Options, folder: RunFolder) -> None:
    """Train by `options`; all that stays is in `folder`. Raises `UserError`."""
    recipe = folder.recipe
    device = select_device(options.device, recipe.precision, folder.threads)
    data = load(options.data, report=console.note).limited(recipe.train_limit, recipe.test_limit)
    recipe.check_fits(len(data.train_labels))
    if data.notice:
        console.notice(data.notice)

    model = Cnn(recipe)
    optimizer = build_optimizer(model, recipe)
    done = restore(folder.checkpoint, model, optimizer, console.note)
    if done is None:
        folder.check_nothing_finished()
        if options.resume:
            console.note(f"no run to resume in {folder.path}: starting from the beginning")
    if done is None and options.init != NATIVE:
        shapes = {name: array.shape for name, array in to_canonical(model).items()}
        load_canonical(model, read_weights(Path(options.init), shapes))
    console.say(summary(model, recipe.batch_size))

    start = weights_digest(to_canonical(model)) if done is None else None
    environment = describe_environment(device)
    for difference in folder.begin(describe(environment, data, options, start), data):
        console.note(difference)
    console.say(f"{FRAMEWORK} on {environment.device}, {data.source}; run folder {folder.path}")
    if done is None:
        done = 0
        save(folder.checkpoint, model, optimizer, done)
    records = folder.history.keep_until(done)
    folder.keep_weights(to_canonical(model), done)

    train_split = to_device(data.train_images, data.train_labels, device)
    test_split = to_device(data.test_images, data.test_labels, device)
    train_size, test_order = len(data.train_labels), np.arange(len(data.test_labels))
    test_batches = device_batches(test_split, test_order, recipe.batch_size)
    with scalar_log(folder.path if options.tensorboard else None, done) as log:
        for epoch in range(done + 1, recipe.epochs + 1):
            order = epoch_order(recipe.seed, epoch, train_size)
            batches = device_batches(train_split, order, recipe.batch_size)
            steps = batch_count(train_size, recipe.batch_size)
            started = time.perf_counter()
            with console.watch_epoch(epoch, recipe.epochs, steps) as watch:
                train_metrics = train_epoch(model, optimizer, batches, watch)
            seconds = time.perf_counter() - started
            test_metrics = evaluate(model, test_batches)
            weights = to_canonical(model)
            check_sound(epoch, test_metrics, weights)
            record = EpochRecord.of(epoch, train_metrics, test_metrics, train_size, seconds)
            with uninterrupted():
                folder.history.append(record)
                save(folder.checkpoint, model, optimizer, epoch)
                folder.keep_weights(weights, epoch)
            console.epoch_line(record)
            log(record)
            records.append(record)
    folder.draw_curves(records, data.notice)
    console.say(f"done: {recipe.epochs} epochs in {folder.path}")


if __name__ == "__main__":
    sys.exit(run("jax_impl.train", FRAMEWORK, train))
