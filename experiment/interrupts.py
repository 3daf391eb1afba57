"""Ctrl-C, at any moment of a command. Imports next to nothing: commands import it first."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""


def end_quietly_until_the_command_runs() -> None:
    """From here on Ctrl-C ends the process at once, without a traceback from a half-done import."""

    def end(number: int, frame: FrameType | None) -> None:
        os.write(2, b"\ninterrupted; nothing was written yet\n")
        os._exit(EXIT_INTERRUPTED)

    signal.signal(signal.SIGINT, end)


def interrupt_the_command() -> None:
    """From here on Ctrl-C raises `KeyboardInterrupt`, as Python does by itself."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait until the block is done: what it writes belongs together."""
    asked: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt
