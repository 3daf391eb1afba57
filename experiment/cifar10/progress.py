"""Shows how far a download is: a live bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable
from typing import Any

SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """A context manager around one download; tell it `at(n)` after every piece."""

    def __init__(self, title: str, total: int, report: Callable[[str], None]) -> None:
        """`total` is in bytes; `report` takes the lines where there is no terminal."""
        self._title = title
        self._total = total
        self._report = report
        self._bar: Any = None
        self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES

    def __enter__(self) -> "Progress":
        if sys.stderr.isatty():
            self._bar = _rich_bar()
            self._bar.add_task(self._title, total=self._total)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def at(self, done: int) -> None:
        """`done` bytes of the total are here."""
        if self._bar is not None:
            if not self._bar.live.is_started:  # not before there is something to show
                self._bar.start()
            self._bar.update(self._bar.task_ids[0], completed=done)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES
            share = 100 * done / self._total
            self._report(
                f"{self._title}: {done / 1e6:.0f} MB of {self._total / 1e6:.0f} ({share:.0f} %)"
            )


def _rich_bar() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as RichProgress

    return RichProgress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
