"""The jobs of a framework's process: look around, train the first epoch, answer the test pictures.

Each imports the framework of its side alone, and leaves files behind (`parity.curves.records`).
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float32

from experiment import console
from experiment.batches import epoch_order
from experiment.cifar10 import Cifar10, load
from experiment.history import check_finite
from experiment.provenance import code_digests, package_versions
from experiment.recipe import Recipe
from experiment.weights import read_weights, weights_digest, write_weights
from parity.capture.processes import PROGRESS
from parity.capture.start import moved_by_an_ulp
from parity.curves import records
from parity.curves.comparison import SHARED_SEED, Comparison, ComparisonError, read_comparison
from parity.curves.layout import REFERENCE, Layout, Side
from parity.curves.planted import without_short_batch
from parity.curves.records import Answer, Answers, Losses, Probe, Surroundings
from parity.curves.trainings import state, wanted


def probe(layout: Layout, side: Side) -> None:
    """Write down with what the side computes; the reference makes the shared weights, too."""
    comparison = read_comparison(layout.comparison)
    recipe = comparison.recipe(SHARED_SEED, side.is_port)
    end, data = _end(side, comparison, recipe), _data(comparison)
    size = len(data.train_labels)
    recipe.check_fits(size)
    if comparison.port_drop_last and size % recipe.batch_size == 0:
        raise ComparisonError(
            f"--port-drop-last: {size} training pictures fill batches of {recipe.batch_size}, so "
            "there is no short batch to drop; choose another --train-limit"
        )
    found = Probe(
        surroundings=_surroundings(end, data),
        platform=platform.platform(),
        official=data.official,
        synthetic=data.synthetic,
        notice=data.notice,
        train_size=size,
        test_size=len(data.test_labels),
        test_labels=tuple(map(int, data.test_labels)),
    )
    if side == REFERENCE:
        layout.start.parent.mkdir(parents=True, exist_ok=True)
        write_weights(layout.start, end.initial_weights(), {"seed": SHARED_SEED})
    records.write(layout.probe(side), found)


def epochs(layout: Layout, side: Side) -> None:
    """The first epoch from the shared weights; the reference's noise runs too, what is missing."""
    comparison = read_comparison(layout.comparison)
    recipe = comparison.recipe(SHARED_SEED, side.is_port)
    end, data = _end(side, comparison, recipe), _data(comparison)
    surroundings = _surroundings(end, data)
    split = end.split(data.train_images, data.train_labels)
    shapes = {name: array.shape for name, array in end.initial_weights().items()}
    weights = read_weights(layout.start, shapes)
    order = epoch_order(recipe.seed, 1, len(data.train_labels))
    if side.is_port and comparison.port_drop_last:
        order = without_short_batch(order)
    for run in range(1 if side.is_port else 1 + comparison.noise_runs):
        if _is_made(layout, side, run, surroundings, weights):
            continue
        _say(f"first epoch from shared weights{f', noise run {run}' if run else ''}")
        seen = _Seen()
        end.epoch(_moved(weights, run), split, order, seen)
        found = Losses(
            surroundings=surroundings,
            weights_sha256=weights_digest(weights),
            noise_run=run,
            losses=tuple(seen.losses),
        )
        records.write(layout.losses(side, run), found)


def answer(layout: Layout, side: Side) -> None:
    """What the side's trained networks say of the test pictures."""
    comparison = read_comparison(layout.comparison)
    recipe = comparison.recipe(SHARED_SEED, side.is_port)
    end, data = _end(side, comparison, recipe), _data(comparison)
    split = end.split(data.test_images, data.test_labels)
    shapes = {name: array.shape for name, array in end.initial_weights().items()}
    found = []
    for seed in range(comparison.seeds):
        _say(f"test pictures, seed {seed}")
        weights = read_weights(layout.training(side, seed) / "weights.safetensors", shapes)
        found.append(_answer(seed, weights, end.logits(weights, split, len(data.test_labels))))
    about = _surroundings(end, data)
    records.write(layout.answers(side), Answers(surroundings=about, networks=tuple(found)))


class _Seen:
    """The losses of an epoch, step by step. Raises `NonFiniteLossError`."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def __call__(self, losses: Float32[np.ndarray, " steps"]) -> None:
        check_finite(losses, epoch=1, first_step=len(self.losses) + 1)
        self.losses += map(float, losses)
        _say("")  # a sign of life


def replicas(layout: Layout, side: Side) -> None:
    """Train what is not finished of the port's seeds, all at once."""
    from parity.curves.jax_replicas import train

    comparison, here = read_comparison(layout.comparison), records.read(layout.probe(side), Probe)
    some = wanted(comparison, layout, side)
    missing = [one for one in some if state(one, here.surroundings) != "finished"]
    if missing:
        train(missing, _data(comparison), comparison.data, comparison.device, _say)


def _answer(seed: int, weights: Mapping[str, np.ndarray], logits: np.ndarray) -> Answer:
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    probabilities = 1 / np.exp(shifted).sum(axis=1)  # of the largest logit
    return Answer(
        seed=seed,
        weights_sha256=weights_digest(weights),
        answers=tuple(map(int, logits.argmax(axis=1))),
        probabilities=tuple(round(float(p), 4) for p in probabilities),
    )


def _is_made(
    layout: Layout, side: Side, run: int, here: Surroundings, weights: Mapping[str, np.ndarray]
) -> bool:
    path = layout.losses(side, run)
    if not path.exists():
        return False
    found = records.read(path, Losses)
    return found.surroundings == here and found.weights_sha256 == weights_digest(weights)


def _moved(weights: Mapping[str, np.ndarray], run: int) -> dict[str, np.ndarray]:
    if not run:
        return dict(weights)
    return {name: moved_by_an_ulp(array, name, run) for name, array in weights.items()}


def _end(side: Side, comparison: Comparison, recipe: Recipe) -> Any:
    if side.framework == "torch":
        from parity.curves.torch_end import TorchEnd

        return TorchEnd(comparison.device, recipe)
    from parity.curves.jax_end import JaxEnd

    return JaxEnd(comparison.device, recipe)


def _data(comparison: Comparison) -> Cifar10:
    found = load(comparison.data, report=console.note)
    return found.limited(comparison.train_limit, comparison.test_limit)


def _surroundings(end: Any, data: Cifar10) -> Surroundings:
    about = end.environment()
    return Surroundings(
        framework=about.framework,
        versions=package_versions(about.packages),
        python=platform.python_version(),
        device=about.device,
        precision=about.precision,
        threads=about.threads,
        code=code_digests(about.code),
        data_sha256=data.fingerprint,
    )


def _say(text: str) -> None:
    print(f"{PROGRESS}{text}", flush=True)
