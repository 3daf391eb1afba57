"""The order of the pictures: one function of seed and epoch, used by both frameworks."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64


def epoch_order(seed: int, epoch: int, size: int) -> Int64[np.ndarray, " size"]:
    """The order in which epoch `epoch` (from 1) visits pictures 0 .. size - 1.

    The keys are raw output of PCG64, which NumPy guarantees never to change (NEP 19; it gives no
    such guarantee for `Generator.permutation`), so every machine and NumPy version shuffles alike.
    """
    keys = np.random.PCG64(np.random.SeedSequence((seed, epoch))).random_raw(size)
    return np.argsort(keys, kind="stable")


def split_batches(
    order: Int64[np.ndarray, " size"], batch_size: int
) -> tuple[Int64[np.ndarray, "full batch"], Int64[np.ndarray, " short"]]:
    """The full batches as rows, and the last, short batch (empty where there is none)."""
    full = len(order) // batch_size * batch_size
    return order[:full].reshape(-1, batch_size), order[full:]


def batch_count(size: int, batch_size: int) -> int:
    """Number of batches in an epoch, the short one included."""
    return -(-size // batch_size)
