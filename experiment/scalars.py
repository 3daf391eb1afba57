"""The epochs' numbers as TensorBoard event files, for those who ask for them."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from experiment.history import EpochRecord


@contextmanager
def scalar_log(folder: Path | None, resumed_after: int) -> Iterator[Callable[[EpochRecord], None]]:
    """Log records into `folder`/tensorboard; None logs nothing.

    `resumed_after` is the last finished epoch: TensorBoard drops what was logged beyond it.
    """
    if folder is None:
        yield lambda record: None
        return
    with _summary_writer()(str(folder / "tensorboard"), purge_step=resumed_after + 1) as writer:

        def log(record: EpochRecord) -> None:
            for name, value in dataclasses.asdict(record).items():
                if name != "epoch":
                    writer.add_scalar(name, value, record.epoch)
            writer.flush()

        yield log


def _summary_writer() -> Any:
    """tensorboardX's SummaryWriter, without the PyTorch that tensorboardX imports if it can.

    It would only serve to accept tensors, and the JAX training keeps PyTorch out of its process.
    """
    if "torch" in sys.modules:
        from tensorboardX import SummaryWriter

        return SummaryWriter
    sys.modules["torch"] = None  # type: ignore[assignment]  # `import torch` is an ImportError now
    try:
        from tensorboardX import SummaryWriter
    finally:
        del sys.modules["torch"]
    return SummaryWriter
