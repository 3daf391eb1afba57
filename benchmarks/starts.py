"""Seconds from the start of Python: to the first training step, and to the first batch."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.processes import LAST_CHARACTERS, WorkerError

DONE = "done"
"""What a started process says when it is there."""


def seconds_until_done(arguments: list[str], environment: Mapping[str, str | None]) -> float:
    """Start `python -m ARGUMENTS` and wait for its word; None in `environment` unsets.

    Raises `WorkerError` with the last words of a process that ends without it.
    """
    merged = {**os.environ, **environment}
    with tempfile.TemporaryFile() as log:
        started = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={name: value for name, value in merged.items() if value is not None},
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.strip() == DONE:
                    seconds = time.perf_counter() - started
                    process.communicate()
                    return seconds
        log.seek(0)
        last = log.read().decode(errors="replace").strip()[-LAST_CHARACTERS:]
    raise WorkerError(f"{' '.join(arguments)} ended without its first step or batch: {last}")


def first_steps(key: str, device: str, repeats: int) -> tuple[float, list[float]]:
    """Start to first step: with an empty compile cache, and then several times with it."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {"CIFAR10_CACHE": cache, "JAX_COMPILATION_CACHE_DIR": None}
        arguments = ["benchmarks.first_step", key, device]
        cold = seconds_until_done(arguments, environment)
        return cold, [seconds_until_done(arguments, environment) for _ in range(repeats)]


class Sources:
    """The layouts of CIFAR-10 that can be had here, in a folder that is removed afterwards."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def spec(self, source: str) -> str:
        """What to load. Raises `WorkerError` where this machine has no such pictures."""
        if source == "synthetic":
            return "synthetic"
        if source == "tfds":
            raise WorkerError("needs a folder prepared by tensorflow-datasets")
        found = os.environ.get("CIFAR10_DIR")
        if not found:
            raise WorkerError("needs real pictures: CIFAR10_DIR=folder")
        # Pickles are opened only with the official checksums, so they cannot be made from others.
        layout = "python" if (Path(found) / "batches.meta").exists() else "binary"
        if source in ("python", "binary") and source != layout:
            raise WorkerError(f"needs the {source} layout, CIFAR10_DIR has the {layout} one")
        return found

    def first_batch(self, source: str) -> float:
        """Seconds to the first batch; everything but 'cache' is decoded again."""
        spec = self.spec(source)
        with tempfile.TemporaryDirectory(dir=self.folder) as empty:
            cache = str(self.folder / "cache") if source == "cache" else empty
            return seconds_until_done(["benchmarks.first_batch", spec], {"CIFAR10_CACHE": cache})
