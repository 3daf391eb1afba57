"""`python -m benchmarks.first_batch SPEC`: load CIFAR-10 to the first batch; a word when done."""

from __future__ import annotations

import sys

from benchmarks.starts import DONE
from experiment.batches import epoch_order
from experiment.cifar10 import load
from experiment.recipe import Recipe


def main(spec: str) -> None:
    """Make the first batch, in [0, 1]."""
    data = load(spec)
    chosen = epoch_order(Recipe.seed, 1, len(data.train_labels))[: Recipe.batch_size]
    (data.train_images[chosen] / Recipe.pixel_divisor).sum()
    print(DONE, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
