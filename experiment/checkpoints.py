"""Which checkpoint a run goes on from; the formats are the frameworks' own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from experiment.errors import UserError

KEEP = 2
"""Checkpoints kept: the newest, and the one before it should the newest be damaged."""

T = TypeVar("T")


class CheckpointError(UserError):
    """A checkpoint cannot be written, or none of a run's checkpoints can be read."""


class DamagedCheckpointError(Exception):
    """One checkpoint cannot be read; an older one may be good."""


def read_last_good(
    folder: Path,
    epochs: Sequence[int],
    read: Callable[[int], T],
    discard: Callable[[int], None],
    note: Callable[[str], None],
) -> tuple[int, T] | None:
    """The newest of the checkpoints after `epochs` that `read` can read, and what it read.

    Damaged ones are reported through `note` and discarded. Returns None where there is no
    checkpoint at all; raises `CheckpointError` where there are some and every one is damaged.
    """
    damaged: list[str] = []
    for epoch in sorted(epochs, reverse=True):
        try:
            state = read(epoch)
        except DamagedCheckpointError as error:
            damaged.append(f"the checkpoint after epoch {epoch} in {folder} is damaged: {error}")
            continue
        for line in damaged:
            note(f"{line}; going on from the last good one, after epoch {epoch}")
        for newer in epochs:
            if newer > epoch:
                discard(newer)
        return epoch, state
    if damaged:
        raise CheckpointError(
            "\n  ".join(["no good checkpoint is left", *damaged])
            + "\nStart a new run in another --out; --init weights.safetensors keeps its weights"
        )
    return None
