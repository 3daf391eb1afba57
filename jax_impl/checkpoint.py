"""Model and optimizer after an epoch, as Orbax checkpoints."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from flax import nnx

from experiment.checkpoints import KEEP, CheckpointError, DamagedCheckpointError, read_last_good
from experiment.storage import write_atomically
from jax_impl.model import Cnn

_SECONDS_FOR_LAST_WORDS = 0.5  # threads of a failed save still print after it raised

_SEAL = "sha256.json"
"""In a checkpoint's folder: the sha256 of each of its other files, written after them."""

_ROOM_FOR_METADATA = 256 * 1024
"""Bytes that a checkpoint may take beyond its numbers (measured: 60 KiB in 4 KiB blocks)."""


def save(folder: Path, model: Cnn, optimizer: nnx.Optimizer[Cnn], epoch: int) -> None:
    """Write the checkpoint after `epoch` and drop all but the last `KEEP`.

    Raises `CheckpointError` where it cannot be written; the older ones are then still there.
    """
    state = nnx.to_pure_dict(nnx.state((model, optimizer)))
    try:
        _check_room(folder, state)
        with _told_once(), _manager(folder) as manager:
            manager.save(epoch, args=ocp.args.Composite(state=ocp.args.StandardSave(state)))
            _seal(folder / str(epoch))
    except Exception as error:  # a full disk raises nearly anything inside Orbax
        raise CheckpointError(
            f"{folder}: the checkpoint after epoch {epoch} cannot be written "
            f"({error}); the last good one is kept. Make room, then use --resume"
        ) from error


def restore(
    folder: Path, model: Cnn, optimizer: nnx.Optimizer[Cnn], note: Callable[[str], None]
) -> int | None:
    """Load the last good checkpoint into model and optimizer; returns its epoch, or None.

    Damaged ones are reported through `note`. Raises `CheckpointError` where all are damaged.
    """
    if not folder.exists():
        return None
    state = nnx.state((model, optimizer))
    with _manager(folder) as manager:
        found = read_last_good(
            folder,
            manager.all_steps(),
            read=lambda epoch: _read(manager, folder, epoch, nnx.to_pure_dict(state)),
            discard=manager.delete,
            note=note,
        )
    if found is None:
        return None
    epoch, values = found
    nnx.replace_by_pure_dict(state, values)
    nnx.update((model, optimizer), state)
    return epoch


def _check_room(folder: Path, state: dict[str, Any]) -> None:
    """Raise `OSError` before a disk fills up: inside Orbax that prints pages of tracebacks."""
    numbers = sum(leaf.nbytes for leaf in jax.tree.leaves(state))
    room = shutil.disk_usage(folder if folder.exists() else folder.parent).free
    if room < numbers + _ROOM_FOR_METADATA:
        raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)}: {room:,} bytes are free")


@contextmanager
def _told_once() -> Iterator[None]:
    """Hold back what is printed to stderr inside, and drop it where an exception tells it.

    When a file cannot be written, Orbax's threads print a page of tracebacks each, from Python and
    from C++, and then raise an exception that says it all. What is printed where nothing is raised
    appears afterwards.
    """
    sys.stderr.flush()
    before = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:
            # Orbax's other tasks failed as well; asyncio complains of each when it is collected.
            logging.getLogger("asyncio").setLevel(logging.CRITICAL)
            time.sleep(_SECONDS_FOR_LAST_WORDS)
            held.truncate(0)
            raise
        finally:
            sys.stderr.flush()
            os.dup2(before, 2)
            os.close(before)
            held.seek(0)
            os.write(2, held.read())


def _manager(folder: Path) -> ocp.CheckpointManager:
    options = ocp.CheckpointManagerOptions(
        max_to_keep=KEEP, enable_async_checkpointing=False, cleanup_tmp_directories=True
    )
    return ocp.CheckpointManager(folder.absolute(), options=options)


def _seal(checkpoint: Path) -> None:
    """Write down what the files are, so that a damaged one never reaches Orbax.

    Orbax goes on after a first failed read, and complains of each further one at any later time.
    """
    digests = {str(p.relative_to(checkpoint)): _sha256(p) for p in _files(checkpoint)}
    write_atomically(checkpoint / _SEAL, json.dumps(digests, indent=1).encode())


def _check_seal(checkpoint: Path) -> None:
    """Raise `DamagedCheckpointError` unless every file is as it was written."""
    try:
        digests = dict(json.loads((checkpoint / _SEAL).read_bytes()))
        found = {str(p.relative_to(checkpoint)): _sha256(p) for p in _files(checkpoint)}
    except FileNotFoundError as error:
        raise DamagedCheckpointError(f"{error.filename} is not there") from error
    except (OSError, TypeError, ValueError) as error:
        raise DamagedCheckpointError(f"{checkpoint / _SEAL}: {error}") from error
    if digests != found:
        names = {name for name, _ in digests.items() ^ found.items()}
        raise DamagedCheckpointError(f"not as they were written: {', '.join(sorted(names))}")


def _files(checkpoint: Path) -> list[Path]:
    return [p for p in sorted(checkpoint.rglob("*")) if p.is_file() and p.name != _SEAL]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read(
    manager: ocp.CheckpointManager, folder: Path, epoch: int, like: dict[str, Any]
) -> dict[str, Any]:
    _check_seal(folder / str(epoch))
    shapes = jax.tree.map(ocp.utils.to_shape_dtype_struct, like)
    args = ocp.args.Composite(state=ocp.args.StandardRestore(shapes))
    try:
        return manager.restore(epoch, args=args).state
    except Exception as error:  # of a foreign checkpoint: Orbax raises nearly anything
        raise DamagedCheckpointError(f"{epoch}: {error}") from error
