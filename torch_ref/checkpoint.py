"""Model and optimizer after an epoch, as files that torch.load(weights_only=True) reads."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from experiment.checkpoints import KEEP, CheckpointError, DamagedCheckpointError, read_last_good
from experiment.storage import write_atomically
from experiment.weights import weights_digest
from torch_ref.model import Cnn


def save(folder: Path, model: Cnn, optimizer: torch.optim.SGD, epoch: int) -> None:
    """Write the checkpoint after `epoch` and drop all but the last `KEEP`.

    Raises `CheckpointError` where it cannot be written; the older ones are then still there.
    """
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    content = io.BytesIO()
    torch.save({**state, "sha256": weights_digest(_named_arrays(state))}, content)
    try:
        folder.mkdir(exist_ok=True)
        write_atomically(_file(folder, epoch), content.getvalue())
        for old in sorted(_epochs(folder))[:-KEEP]:
            _file(folder, old).unlink()
    except OSError as error:
        raise CheckpointError(
            f"{folder}: the checkpoint after epoch {epoch} cannot be written "
            f"({error.strerror or error}); the last good one is kept. Make room and use --resume"
        ) from error


def restore(
    folder: Path, model: Cnn, optimizer: torch.optim.SGD, note: Callable[[str], None]
) -> int | None:
    """Load the last good checkpoint into model and optimizer; returns its epoch, or None.

    Damaged ones are reported through `note`. Raises `CheckpointError` where all are damaged.
    """
    found = read_last_good(
        folder,
        _epochs(folder),
        read=lambda epoch: _read(_file(folder, epoch)),
        discard=lambda epoch: _file(folder, epoch).unlink(),
        note=note,
    )
    if found is None:
        return None
    epoch, state = found
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return epoch


def _file(folder: Path, epoch: int) -> Path:
    return folder / f"epoch-{epoch:04d}.pt"


def _epochs(folder: Path) -> list[int]:
    names = (re.fullmatch(r"epoch-(\d+)\.pt", file.name) for file in folder.glob("epoch-*.pt"))
    return [int(name[1]) for name in names if name]


def _read(file: Path) -> dict[str, Any]:
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
        damaged = state.pop("sha256") != weights_digest(_named_arrays(state))
    except Exception as error:  # a damaged archive raises nearly anything inside torch.load
        raise DamagedCheckpointError(f"{file.name}: {error}") from error
    if damaged:
        raise DamagedCheckpointError(f"{file.name}: its numbers do not match their sha256")
    return state


def _named_arrays(state: dict[str, Any]) -> dict[str, np.ndarray]:
    slots = state["optimizer"]["state"]
    named = {
        **state["model"],
        **{f"{i}.{name}": value for i, slot in slots.items() for name, value in slot.items()},
    }
    return {n: t.numpy(force=True) for n, t in named.items() if isinstance(t, torch.Tensor)}
