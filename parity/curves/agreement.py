"""Picture by picture: accuracy of each class, churn, and a wall of pictures. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from parity.curves.records import Answer
from parity.curves.results import Churn, ClassAccuracy, Prediction, Wall

WALL = 200
"""Pictures on the wall, at most."""

DISAGREEMENTS = 120
"""Of them, those on which the two disagree, at most: the others show what they agree on."""


def classes(
    names: Sequence[str], labels: np.ndarray, reference: Sequence[Answer], port: Sequence[Answer]
) -> tuple[ClassAccuracy, ...]:
    """Accuracy of each class that the test pictures hold, by seed."""
    return tuple(
        ClassAccuracy(
            name=name,
            reference=tuple(_accuracy(one, labels, number) for one in reference),
            port=tuple(_accuracy(one, labels, number) for one in port),
        )
        for number, name in enumerate(names)
        if (labels == number).any()
    )


def churn(reference: Sequence[Answer], port: Sequence[Answer]) -> Churn:
    """Shares of pictures on which two networks disagree, right or wrong."""
    return Churn(
        port=tuple(_disagree(a, b) for a, b in zip(reference, port, strict=True)),
        reference=tuple(_disagree(a, b) for a, b in combinations(reference, 2)),
    )


def wall(labels: np.ndarray, reference: Answer, port: Answer) -> Wall:
    """The first disagreements, and then the first pictures on which both agree."""
    differ = np.asarray(reference.answers) != np.asarray(port.answers)
    shown = np.flatnonzero(differ)[:DISAGREEMENTS].tolist()
    shown += np.flatnonzero(~differ)[: WALL - len(shown)].tolist()
    return Wall(
        seed=reference.seed,
        disagreements=int(differ.sum()),
        predictions=tuple(
            Prediction(
                index=i,
                label=int(labels[i]),
                reference=reference.answers[i],
                reference_probability=reference.probabilities[i],
                port=port.answers[i],
                port_probability=port.probabilities[i],
            )
            for i in shown
        ),
    )


def _accuracy(one: Answer, labels: np.ndarray, number: int) -> float:
    return float(np.mean(np.asarray(one.answers)[labels == number] == number))


def _disagree(a: Answer, b: Answer) -> float:
    return float(np.mean(np.asarray(a.answers) != np.asarray(b.answers)))
