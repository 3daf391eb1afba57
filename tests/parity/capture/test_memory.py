"""How much memory the built-in pair's captures take."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

GIB = 2**20  # in KiB, as /proc counts

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


def peaks_of_children(pid: int) -> dict[str, int]:
    """The largest resident size so far of each child, and of the process, in KiB."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = {}
    for number in [str(pid), *children.read_text().split()]:
        try:
            lines = Path(f"/proc/{number}/status").read_text().splitlines()
        except OSError:  # it has just ended
            continue
        for line in lines:  # one that has ended but was not waited for has no such line
            if line.startswith("VmHWM:"):
                found[number] = int(line.split()[1])
    return found


def test_every_process_stays_under_three_gigabytes(background, tmp_path):
    process = background("parity", "verify", "cifar10_cnn", "--out", tmp_path / "verdict.json")
    peaks: dict[str, int] = {}
    while process.poll() is None:
        try:
            peaks |= peaks_of_children(process.pid)
        except FileNotFoundError:  # it has just ended
            break
        time.sleep(0.1)
    assert process.wait() == 0, process.stderr.read()
    assert len(peaks) == 5, "verify, and two captures of each framework"
    assert max(peaks.values()) < 3 * GIB, peaks
