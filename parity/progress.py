"""Progress on the screen while captures run: one line that changes, or lines in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def shown() -> Iterator[Callable[[str], None]]:
    """A function that shows a line of progress on stderr, with the seconds since the beginning."""
    from rich.console import Console

    console, began = Console(stderr=True), time.monotonic()

    def line(text: str) -> str:
        return f"{time.monotonic() - began:4.0f} s  {text}"

    if not console.is_terminal:
        yield lambda text: print(line(text), file=sys.stderr, flush=True)
        return
    with console.status("starting both sides") as status:
        yield lambda text: status.update(line(text))
