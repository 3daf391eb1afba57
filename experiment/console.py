"""What a training shows on screen."""

from __future__ import annotations

import io
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from jaxtyping import Float32

from experiment.history import EpochRecord, check_finite

SECONDS_BETWEEN_PLAIN_LINES = 10.0
NOTICE_WIDTH = 88

Watch = Callable[[Float32[np.ndarray, " steps"]], None]
"""Called with the losses of the batches since the last call."""

_Advance = Callable[[int], None]  # called with the number of batches that the epoch has behind it


def print_anywhere() -> None:
    """Print what the output's encoding cannot hold (the table's lines in ASCII, say) as '?'."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def say(text: str) -> None:
    """Print one line now, also into a pipe."""
    print(text, flush=True)


def note(text: str) -> None:
    """Something the user should know, on the error stream so that it survives a pipe."""
    print(f"note: {text}", file=sys.stderr, flush=True)


def notice(text: str) -> None:
    """Something the user must not miss: a framed block."""
    bar = "!" * NOTICE_WIDTH
    lines = [part for line in text.splitlines() for part in textwrap.wrap(line, NOTICE_WIDTH - 3)]
    say("\n".join((bar, *(f"!! {line}" for line in lines), bar)))


def epoch_line(record: EpochRecord) -> None:
    """One finished epoch, in the tutorial's form, and how fast it was."""
    say(f"{record.line()}  [{record.seconds:.1f} s, {record.images_per_second:,.0f} pictures/s]")


@contextmanager
def watch_epoch(epoch: int, epochs: int, batches: int) -> Iterator[Watch]:
    """Show how far an epoch is, and stop it where the loss is no longer finite.

    A live bar on a terminal, else a plain line now and then. The watch raises `NonFiniteLossError`.
    """
    done = 0

    def watch(losses: Float32[np.ndarray, " steps"]) -> None:
        nonlocal done
        check_finite(losses, epoch, first_step=done + 1)
        done += len(losses)
        advance(done)

    show = _bar if sys.stdout.isatty() else _plain_lines
    with show(f"epoch {epoch}/{epochs}", batches) as advance:
        yield watch


@contextmanager
def _bar(label: str, batches: int) -> Iterator[_Advance]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("batches"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task(label, total=batches)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def _plain_lines(label: str, batches: int) -> Iterator[_Advance]:
    last = float("-inf")

    def advance(done: int) -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_BETWEEN_PLAIN_LINES and done < batches:
            last = time.monotonic()
            say(f"{label}: {done} of {batches} batches")

    yield advance
