"""What a training measured, epoch by epoch, one JSON line an epoch."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from experiment.errors import UserError
from experiment.storage import write_atomically

_LOWER = "Lower --learning-rate or --momentum, or look at the pictures and at --init"
_ADVICE = "restore the file or start a new run in another --out"


class HistoryError(UserError):
    """A history file that cannot be read."""


class NonFiniteLossError(UserError):
    """The loss became NaN or infinite: the training cannot go on."""


class Metrics(NamedTuple):
    """One pass over a split."""

    loss: float
    """Mean of the batches' mean losses (a short batch weighs as much as a full one)."""
    accuracy: float
    """Correct / size, a fraction."""


@dataclass(frozen=True, kw_only=True)
class EpochRecord:
    """One line of `history.jsonl`."""

    epoch: int
    """From 1."""
    train_loss: float
    """Mean over the batches, each measured before its step."""
    train_accuracy: float
    """Fraction, each batch measured before its step."""
    test_loss: float
    """Mean over the test batches, after the epoch."""
    test_accuracy: float
    """Fraction, after the epoch."""
    seconds: float
    """Wall time of the epoch's training, without the test."""
    images_per_second: float
    """Training pictures / seconds."""

    @classmethod
    def of(
        cls, epoch: int, train: Metrics, test: Metrics, train_size: int, seconds: float
    ) -> EpochRecord:
        """The record of an epoch that trained on `train_size` pictures in `seconds`."""
        return cls(
            epoch=epoch,
            train_loss=train.loss,
            train_accuracy=train.accuracy,
            test_loss=test.loss,
            test_accuracy=test.accuracy,
            seconds=seconds,
            images_per_second=train_size / seconds,
        )

    def line(self) -> str:
        """The line on screen, in the form of the published tutorial."""
        return (
            f"Epoch: {self.epoch}, Train_acc:{self.train_accuracy:.1%}, "
            f"Train_loss:{self.train_loss:.3f}, Test_acc:{self.test_accuracy:.1%}, "
            f"Test_loss:{self.test_loss:.3f}"
        )


def pass_metrics(losses: Float32[np.ndarray, " batches"], correct: int, size: int) -> Metrics:
    """Reduce what a pass recorded: the mean in float64 on the host, alike for both frameworks."""
    return Metrics(float(np.mean(losses, dtype=np.float64)), correct / size)


def check_finite(losses: Float32[np.ndarray, " steps"], epoch: int, first_step: int) -> None:
    """Raise `NonFiniteLossError` naming the first step (from 1) whose loss is NaN or infinite."""
    bad = np.flatnonzero(~np.isfinite(losses))
    if bad.size:
        raise NonFiniteLossError(
            f"the loss became {losses[bad[0]]} in epoch {epoch}, step {first_step + bad[0]}; "
            f"the last good checkpoint is kept. {_LOWER}"
        )


def check_sound(epoch: int, test: Metrics, weights: Mapping[str, np.ndarray]) -> None:
    """Raise `NonFiniteLossError` where the epoch's last step broke the weights.

    The training losses are measured before each step, so they do not see it.
    """
    broken = [name for name, array in weights.items() if not np.isfinite(array).all()]
    if broken or not math.isfinite(test.loss):
        what = f"NaN or Inf in {', '.join(broken)}" if broken else "finite weights"
        raise NonFiniteLossError(
            f"after the last step of epoch {epoch} the test loss is {test.loss}, with {what}; "
            f"the last good checkpoint is kept. {_LOWER}"
        )


class History:
    """The records of one run, in a file that is complete after every epoch."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, record: EpochRecord) -> None:
        """Add one line; it is on disk when this returns."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(dataclasses.asdict(record)) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> list[EpochRecord]:
        """All records; a last line that was cut off while it was written is left out.

        Raises `HistoryError` naming the line where any other line is not a record.
        """
        if not self.path.exists():
            return []
        try:
            text = self.path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise HistoryError(f"{self.path}: not text ({error}); {_ADVICE}") from error
        *lines, _cut_off = text.split("\n")
        return [self._parse(line, number) for number, line in enumerate(lines, start=1)]

    def keep_until(self, epoch: int) -> list[EpochRecord]:
        """Drop the records after `epoch` (they will be computed again) and return the others.

        Raises `HistoryError` where an epoch up to `epoch` is missing or not in its place.
        """
        kept = [record for record in self.read() if record.epoch <= epoch]
        found = [record.epoch for record in kept]
        if found != list(range(1, epoch + 1)):
            raise HistoryError(
                f"{self.path}: found epochs {found}, expected 1 to {epoch} as in the checkpoint; "
                f"{_ADVICE}"
            )
        lines = (json.dumps(dataclasses.asdict(record)) + "\n" for record in kept)
        write_atomically(self.path, "".join(lines).encode())
        return kept

    def _parse(self, line: str, number: int) -> EpochRecord:
        try:
            return EpochRecord(**json.loads(line))
        except (json.JSONDecodeError, TypeError) as error:
            raise HistoryError(
                f"{self.path}, line {number}: not a record of an epoch ({error}); {_ADVICE}"
            ) from error
