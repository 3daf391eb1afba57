"""Ctrl-C while the command is still importing: a line, and no traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest


@pytest.mark.parametrize("seconds", [0.02, 0.2, 0.4, 0.8])
def test_interrupt_at_the_beginning_leaves_no_traceback(seconds: float) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "parity", "bugs", "flatten-order"]
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        # Python says what it imports; before the first of ours, Ctrl-C is Python's own affair.
        while "experiment.interrupts" not in process.stderr.readline():
            assert process.poll() is None
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert "Traceback" not in said
    assert process.returncode == 130
