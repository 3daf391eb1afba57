"""The judge is NumPy alone: it runs where no framework is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

PROGRAM = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "jax", "jaxlib", "flax", "optax", "torchvision"):
            raise AssertionError(f"the judge imports {name}")

sys.meta_path.insert(0, Refuse())
sys.path.insert(0, "tests/parity/stages")
import pathlib, tempfile
import numpy_captures as network
from parity.capture.capture_file import read_capture, write_capture
from parity.evidence import LaneEvidence
from parity.judge import judge
from parity.screen import markdown, render
from parity.verdict import write_verdict

with tempfile.TemporaryDirectory() as folder:
    def stored(name, capture):
        path = pathlib.Path(folder, name)
        write_capture(path, capture.about, capture.arrays)
        return read_capture(path)

    oracle = stored("oracle", network.reference_capture())
    lanes = [LaneEvidence("float64", oracle, stored("port", network.port_capture(oracle)))]
    sides = zip(("reference32", "port32"), network.float32_captures(oracle))
    lanes.append(LaneEvidence("float32", *(stored(*side) for side in sides), oracle))
    wrong = network.port_capture(oracle, network.Faults(split_ties=True))
    for verdict in (judge(lanes), judge([LaneEvidence("float64", oracle, wrong)])):
        render(verdict), markdown(verdict)
        write_verdict(pathlib.Path(folder, "verdict.json"), verdict)
        print(verdict.exit_code)
"""


def test_judging_needs_no_framework() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=REPOSITORY, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["0", "1"]
