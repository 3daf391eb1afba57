"""What a side's own loader hands out: a digest of every batch, and a few batches whole."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.capture.capture_file import digest
from parity.capture.leaves import leaves
from parity.capture.start import is_numpy
from parity.pair import Pair, Training
from parity.user_code import call

Loaded = tuple[dict[str, np.ndarray], dict[str, list[str]], dict[str, list[int]]]

_SHOWN = 2
"""Batches from an epoch's beginning that are kept whole; the last one is kept too."""


def loader_arrays(pair: Pair, training: Training | None) -> Loaded:
    """Arrays, digests and sizes, as a capture has them; nothing where there is no loader.

    Raises `PairError` where the loader fails.
    """
    arrays: dict[str, np.ndarray] = {}
    digests: dict[str, list[str]] = {}
    sizes: dict[str, list[int]] = {}
    for epoch in range(1, training.epochs + 1) if training else ():
        digests[str(epoch)], sizes[str(epoch)] = [], []
        last: dict[str, np.ndarray] = {}
        # The loader may work as it goes, so the whole iteration is the user's code.
        for index, named in enumerate(call(pair, "batches", _read, training, epoch)):
            digests[str(epoch)].append(digest(named))
            sizes[str(epoch)].append(len(next(iter(named.values()))))
            last = {f"data/{epoch}/{index}/{n}": a for n, a in named.items()}
            if index < _SHOWN:
                arrays |= last
        arrays |= last
    return arrays, digests, sizes


def _read(training: Training, epoch: int) -> list[dict[str, np.ndarray]]:
    return [_named(inputs, targets) for inputs, targets in training.batches(epoch)]


def _named(inputs: Any, targets: Any) -> dict[str, np.ndarray]:
    named = {f"input/{leaf}": np.array(a) for leaf, a in leaves(inputs, is_numpy).items()}
    return named | {f"target/{n}": np.array(a) for n, a in leaves(targets, is_numpy).items()}
