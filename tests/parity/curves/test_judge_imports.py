"""The comparison's own process imports neither framework: each has a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]

PROGRAM = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "jax", "jaxlib", "flax", "optax", "torchvision"):
            raise AssertionError(f"the comparison imports {name}")

sys.meta_path.insert(0, Refuse())
sys.path.insert(0, "tests/parity/curves")
import pathlib, tempfile
import parity.curves.command, parity.curves.run
from parity.curves import figures, screen
from recorded import results

with tempfile.TemporaryDirectory() as folder:
    figures.draw_curves(pathlib.Path(folder, "curves.png"), results())
    figures.draw_divergence(pathlib.Path(folder, "divergence.png"), results())
    sizes = [path.stat().st_size > 10_000 for path in pathlib.Path(folder).iterdir()]
print(screen.render(results()), all(sizes), len(sizes))
"""


def test_judging_and_drawing_need_no_framework() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=REPOSITORY, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("outcome: NOT ENOUGH RUNS TO DECIDE True 2\n")
