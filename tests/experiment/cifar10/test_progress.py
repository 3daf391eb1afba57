import io
import sys

import pytest

from experiment.cifar10 import progress
from experiment.cifar10.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_a_line_is_written_now_and_then(
    monkeypatch: pytest.MonkeyPatch, messages: list[str]
):
    clock = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    with Progress("cifar", 200_000_000, messages.append) as shown:
        for step in range(1, 26):
            clock[0] += 1
            shown.at(step * 2_000_000)
    assert messages == ["cifar: 20 MB of 200 (10 %)", "cifar: 40 MB of 200 (20 %)"]


def test_on_a_terminal_there_is_a_bar_and_no_lines(
    monkeypatch: pytest.MonkeyPatch, messages: list[str]
):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with Progress("cifar", 1000, messages.append) as shown:
        shown.at(500)
        shown.at(1000)
    assert messages == []
    assert "cifar" in terminal.getvalue()
    assert "━" in terminal.getvalue()
