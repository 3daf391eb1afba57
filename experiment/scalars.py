"""The epochs' numbers as TensorBoard event files, for those who ask for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from experiment.history import EpochRecord


@contextmanager
def scalar_log(folder: Path | None, resumed_after: int) -> Iterator[Callable[[EpochRecord], None]]:
    """Log records into `folder`/tensorboard; None logs nothing.

    `resumed_after` is the last finished epoch: TensorBoard drops what was logged beyond it.
    """
    if folder is None:
        yield lambda record: None
        return
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(folder / "tensorboard"), purge_step=resumed_after + 1) as writer:

        def log(record: EpochRecord) -> None:
            for name, value in dataclasses.asdict(record).items():
                if name != "epoch":
                    writer.add_scalar(name, value, record.epoch)
            writer.flush()

        yield log
