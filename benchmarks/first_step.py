"""`python -m benchmarks.first_step KEY DEVICE`: one training step of a row; a word when done."""

from __future__ import annotations

import sys

from benchmarks.plan import side_by_side
from benchmarks.starts import DONE
from benchmarks.worker import make


def main(key: str, device: str) -> None:
    """Take the step."""
    task = next(task for task in side_by_side(32) if task.key == key)
    make(task, task.batch, device)()
    print(DONE, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
