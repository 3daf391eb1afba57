"""Made-up comparisons: trainings by their final accuracy and mean loss, and whole results."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from experiment.cifar10 import CLASSES
from experiment.history import EpochRecord
from parity.curves import agreement, native, shared
from parity.curves.collect import answer, published
from parity.curves.comparison import Comparison
from parity.curves.records import Answer
from parity.curves.results import Arm, Pictures, Results, Training


def training(seed: int, accuracy: float, loss: float, epochs: int = 3) -> Training:
    """A training that ends with `accuracy` % and whose test losses have the mean `loss`."""
    records = tuple(
        EpochRecord(
            epoch=epoch, train_loss=loss + 0.01, train_accuracy=accuracy / 100,
            test_loss=loss + 0.1 * ((epochs + 1) / 2 - epoch), test_accuracy=accuracy / 100,
            seconds=30.0, images_per_second=1666.0,
        )
        for epoch in range(1, epochs + 1)
    )  # fmt: skip
    return Training(seed=seed, epochs=records)


def trainings(accuracy: Sequence[float], loss: Sequence[float]) -> tuple[Training, ...]:
    """By seed."""
    return tuple(training(i, a, b) for i, (a, b) in enumerate(zip(accuracy, loss, strict=True)))


def arm(framework: str, runs: tuple[Training, ...]) -> Arm:
    """One framework's."""
    return Arm(
        framework=framework, versions={framework.lower(): "1.0"}, python="3.11", platform="Linux",
        device="cpu", precision={}, threads=1, commits=("c" * 40,), code={"experiment": "d" * 16},
        started=("2026-01-01", "2026-01-02"), learning_rate=0.01, trainings=runs,
    )  # fmt: skip


def results(**changes: object) -> Results:
    """Three seeds of each, four pictures, synthetic; what `changes` say otherwise."""
    comparison = Comparison(seeds=3, data="/a/secret/folder")
    ours = trainings([36.0, 37.0, 38.5], [1.90, 1.92, 1.95])
    theirs = trainings([34.5, 38.8, 38.2], [1.91, 1.915, 1.945])
    start = shared.judge(0, [2.3, 2.29], [2.3, 2.2900001], [[2.3, 2.2900002]], 16)
    whole = native.judge(ours, theirs, comparison)
    labels = np.array([0, 0, 1, 2])
    networks = [
        Answer(seed=0, weights_sha256="", answers=answers, probabilities=(0.5, 0.5, 0.5, 0.5))
        for answers in ((0, 0, 1, 2), (0, 1, 1, 1))
    ]
    found = Results(
        date="2026-01-01T00:00:00+00:00",
        comparison=comparison,
        outcome=whole.outcome,
        text=answer(start, whole),
        planted=(),
        pictures=Pictures(
            sha256="f" * 64, official=False, synthetic=True, notice="SYNTHETIC, not CIFAR-10",
            train_size=100, test_size=4, classes=tuple(CLASSES),
        ),
        reference=arm("PyTorch", ours),
        port=arm("JAX", theirs),
        shared=start,
        native=whole,
        classes=agreement.classes(CLASSES, labels, networks[:1], networks[1:]),
        churn=agreement.churn(networks[:1], networks[1:]),
        wall=agreement.wall(labels, *networks),
        published=published(),
    )  # fmt: skip
    return dataclasses.replace(found, **changes)  # type: ignore[arg-type]
