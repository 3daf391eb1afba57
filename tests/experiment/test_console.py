"""What is on screen: a live bar on a terminal, plain lines anywhere else, notices in a frame."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from experiment import console
from experiment.history import NonFiniteLossError

REPOSITORY = Path(__file__).parents[2]
EPOCH = """
import numpy as np, time
from experiment.console import watch_epoch
with watch_epoch(2, 3, 4) as watch:
    for _ in range(4):
        watch(np.ones(1, np.float32))
        time.sleep(0.15)
"""


def test_plain_line_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with console.watch_epoch(2, 3, batches=10) as watch:
        watch(np.ones(4, np.float32))
        watch(np.ones(6, np.float32))
    assert capsys.readouterr().out == "epoch 2/3: 4 of 10 batches\n"


def test_plain_lines_come_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 0.0, 3.0, 11.0, 11.0, 12.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    with console.watch_epoch(1, 1, batches=100) as watch:
        for _ in range(4):
            watch(np.ones(10, np.float32))
    assert capsys.readouterr().out.splitlines() == [
        "epoch 1/1: 10 of 100 batches",
        "epoch 1/1: 30 of 100 batches",
    ]


def test_live_bar_on_a_terminal() -> None:
    controller, terminal = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", EPOCH], stdout=terminal, stderr=subprocess.PIPE, cwd=REPOSITORY,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"}, check=False,
    )  # fmt: skip
    os.close(terminal)
    shown = os.read(controller, 65536).decode()
    os.close(controller)
    assert done.returncode == 0, done.stderr
    assert "epoch 2/3" in shown
    assert "4/4" in shown
    assert "\x1b[" in shown


def test_watch_stops_at_a_loss_that_is_not_finite() -> None:
    with console.watch_epoch(2, 3, batches=10) as watch:
        watch(np.ones(4, np.float32))
        with pytest.raises(NonFiniteLossError, match="epoch 2, step 6"):
            watch(np.array([1, np.nan], np.float32))


def test_notice_is_framed_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    console.notice("not real\nat all")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == lines[-1] == "!" * console.NOTICE_WIDTH
    assert lines[1:-1] == ["!! not real", "!! at all"]


def test_long_notice_is_wrapped_into_the_frame(capsys: pytest.CaptureFixture[str]) -> None:
    console.notice("word " * 40)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 3
    assert max(map(len, lines)) <= console.NOTICE_WIDTH
    assert " ".join(line.removeprefix("!! ") for line in lines[1:-1]).split() == ["word"] * 40
