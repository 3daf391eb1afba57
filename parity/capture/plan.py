"""What a capture process is asked to do. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

LANES = ("float64", "float32", "device", "tf32")
"""See docs/captures.md; in the order in which they are judged."""

GPU_LANES = ("device", "tf32")

UPDATE_STEPS = (1, 2, 3, 4)
"""Steps looked at one by one."""

LOWERED = 0.4
"""What the learning rate is multiplied with before the last of the update steps."""

FULL_BATCHES = 25
"""Full batches in an epoch of the trajectory; a short one follows."""

TRAJECTORY_EPOCHS = 2
"""Epochs of the trajectory: 52 steps, across an epoch's end."""

NOISE_RUNS = 4
"""Runs of the reference, moved by one unit in the last place, that estimate float32's noise."""

LARGE = 2_000_000
"""Parameters of a model that has half as many noise runs: they are kept whole in the capture."""

INIT_SEEDS = 16
"""Native initialisations that are pooled, fewer for large models."""

INIT_NUMBERS = 8_000_000
"""Numbers that these initialisations may draw in all."""

INIT_SAMPLE = 4096
"""Values of a tensor's initialisation that are written down."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One capture: what of, how, from what, to where."""

    lane: str
    seed: int
    nonce: str
    out: Path
    threads: int | None = None
    """CPU threads; None leaves the framework's choice."""
    oracle: Path | None = None
    """The reference's capture in float64; the reference needs none in that lane."""
    start: Path | None = None
    """Where the reference writes, and the port awaits, what both start from, before the oracle is
    done. None: the port reads it from the oracle."""

    @property
    def dtype(self) -> np.dtype:
        """The floats of the lane."""
        return np.dtype(np.float64 if self.lane == "float64" else np.float32)


def rate_of(step: int, learning_rate: float) -> float:
    """The learning rate of an update step, from 1."""
    return learning_rate * (LOWERED if step == UPDATE_STEPS[-1] else 1.0)


def batch_of(step: int) -> int:
    """Which batch, from 1, a trajectory's step takes; every other epoch goes backwards.

    The short batch is the last of each epoch.
    """
    epoch, place = divmod(step - 1, FULL_BATCHES + 1)
    if place == FULL_BATCHES:
        return FULL_BATCHES + 1
    return FULL_BATCHES - place if epoch % 2 else place + 1


def noise_runs(parameters: int) -> int:
    """Noise runs of a model with so many parameters."""
    return NOISE_RUNS if parameters < LARGE else NOISE_RUNS // 2


def trajectory_steps() -> int:
    """Steps of a trajectory."""
    return TRAJECTORY_EPOCHS * (FULL_BATCHES + 1)


def snapshot_steps() -> tuple[int, ...]:
    """Steps of the trajectory after which everything is compared."""
    return (1, 10, FULL_BATCHES + 1, trajectory_steps())
