"""The verdict.json of a comparison that could not be made. NumPy only.

It takes the place of an earlier run's, which nobody shall mistake for this one's.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from experiment.errors import EXIT_USER_ERROR, UserError
from experiment.storage import write_atomically
from parity.verdict import Verdict

UNFINISHED = "the comparison has not ended, or was killed"


def write_failed_verdict(path: Path, pair: str, seed: int, error: str) -> None:
    """Write a verdict that has not passed, exit code 2, with `error` in place of results.

    Raises `OSError`.
    """
    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    empty = Verdict(pair=pair, seed=seed, nonce="", date=date, lanes=(), results=())
    content = json.loads(empty.to_json())
    content |= {"passed": False, "exit_code": EXIT_USER_ERROR, "error": error}
    write_atomically(path, (json.dumps(content) + "\n").encode())


@contextmanager
def failing_into(path: Path | None, pair: str, seed: int) -> Iterator[None]:
    """Until there is a verdict, the file that it goes to says that there is none, and why.

    None: it goes to no file. Raises `OSError`.
    """
    if path is None:
        yield
        return
    # At once, so that a file that cannot be written is noticed before the work.
    path.parent.mkdir(parents=True, exist_ok=True)
    write_failed_verdict(path, pair, seed, UNFINISHED)
    try:
        yield
    except UserError as error:
        write_failed_verdict(path, pair, seed, str(error))
        raise
