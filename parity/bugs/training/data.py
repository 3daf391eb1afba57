"""What both sides are trained with. NumPy only."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

EXAMPLES = 27
BATCH = 8

Batch = tuple[np.ndarray, np.ndarray]


def examples(generator: np.random.Generator, n: int) -> Batch:
    """Inputs (n, 6) and targets (n, 4), float32."""
    inputs = generator.normal(size=(n, 6)).astype(np.float32)
    targets = generator.normal(size=(n, 4)).astype(np.float32)
    return inputs, targets


def batches(epoch: int) -> Iterator[Batch]:
    """An epoch: three batches of 8 and one of 3, in another order each time."""
    inputs, targets = TRAIN
    order = np.random.default_rng((2, epoch)).permutation(EXAMPLES)
    for start in range(0, EXAMPLES, BATCH):
        chosen = order[start : start + BATCH]
        yield inputs[chosen], targets[chosen]


TRAIN = examples(np.random.default_rng(0), EXAMPLES)
TEST = examples(np.random.default_rng(1), 10)
