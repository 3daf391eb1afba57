"""The file a download grows in, for one process at a time."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def exclusive(part: Path) -> Iterator[BinaryIO]:
    """Opens `part` to read and append, creating it if need be, with nobody else writing to it.

    While another process holds `part`, a private file beside it is given instead, and removed
    afterwards unless it was renamed: the archive is then fetched twice, and never mixed up.
    `.name` of the file is its path.
    """
    with part.open("a+b") as file:
        if _claim(file, part):
            yield file
            return
    with tempfile.NamedTemporaryFile(
        "a+b", prefix=f"{part.name}.", dir=part.parent, delete=False
    ) as private:
        try:
            yield private  # type: ignore[misc]  # it is a BinaryIO in all but its name
        finally:
            with contextlib.suppress(FileNotFoundError):
                Path(private.name).unlink()


def _claim(file: BinaryIO, part: Path) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows has no such locks
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between opening and locking, another process may have finished and renamed the file.
        return os.path.samestat(os.fstat(file.fileno()), part.stat())
    except (BlockingIOError, FileNotFoundError):
        return False
