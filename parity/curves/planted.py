"""A difference planted into the port, to see the statistics find it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

import experiment.batches
from experiment.recipe import Recipe


def without_short_batch(
    order: Int64[np.ndarray, " size"], batch_size: int = Recipe.batch_size
) -> Int64[np.ndarray, " full"]:
    """The order of an epoch that leaves the pictures of its last, short batch out."""
    return order[: len(order) // batch_size * batch_size]


def drop_last_batches() -> None:
    """From here on this process's `epoch_order` gives no short batch; before a training imports it.

    The training command has no such option, since nobody should want it.
    """
    whole = experiment.batches.epoch_order

    def cut(seed: int, epoch: int, size: int) -> Int64[np.ndarray, " full"]:
        return without_short_batch(whole(seed, epoch, size))

    experiment.batches.epoch_order = cut
