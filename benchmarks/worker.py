"""One framework's process: it takes commands over a pipe, a JSON object a line, and answers each.

    {"do": "prepare", "task": {...}, "pictures": 1600, "device": "cpu"}   sets up, runs once
    {"do": "repeat"}                                                      runs once more
    {"do": "floor", "framework": "JAX", "device": "cpu", "precision": "float32"}
    {"do": "about", "framework": "JAX", "device": "cpu"}
    {"do": "memory"}

What the frameworks print goes to stderr: stdout is the pipe.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.plan import Task
from experiment.recipe import Recipe

_MODULES = {"PyTorch": "benchmarks.torch_rows", "JAX": "benchmarks.jax_rows"}
_DEVICES = {"PyTorch": "torch_ref.device", "JAX": "jax_impl.device"}


def make(task: Task, pictures: int, device: str) -> Callable[[], float]:
    """What one repeat of the task does, over so many pictures."""
    module, name = task.trainer.split(":")
    recipe = Recipe(batch_size=task.batch, precision=task.precision)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (pictures, 32, 32, 3), dtype=np.uint8)
    labels = random.integers(0, Recipe.classes, pictures, dtype=np.uint8)
    more = {"count": task.replicas} if task.kind == "replicas" else {}
    return getattr(importlib.import_module(module), name)(recipe, images, labels, device, **more)


class Worker:
    """Answers commands."""

    def __init__(self) -> None:
        self.work: Callable[[], float] | None = None
        self.module = ""

    def prepare(self, task: dict[str, Any], pictures: int, device: str) -> dict[str, Any]:
        """Set up, and run once: the first execution, which compiles."""
        self.module = task["trainer"].split(":")[0]
        self.work = make(Task(**task), pictures, device)
        return self.repeat()

    def repeat(self) -> dict[str, Any]:
        """Run once more."""
        assert self.work is not None
        started = time.perf_counter()
        loss = self.work()
        return {"seconds": time.perf_counter() - started, "loss": loss}

    def floor(self, framework: str, device: str, precision: str) -> dict[str, Any]:
        """Seconds of a large product and a large copy."""
        return importlib.import_module(_MODULES[framework]).floor(device, precision)

    def about(self, framework: str, device: str) -> dict[str, Any]:
        """Device, threads and switches."""
        module = importlib.import_module(_DEVICES[framework])
        described = module.describe_environment(module.select_device(device, "float32"))
        return dataclasses.asdict(described)

    def memory(self) -> dict[str, Any]:
        """Peaks so far, in bytes."""
        host = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        host *= 1 if sys.platform == "darwin" else 1024
        return {"host": host, "device": importlib.import_module(self.module).device_memory()}


def main() -> None:
    """Answer until the pipe is closed."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever prints must not break the pipe
    worker = Worker()
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = getattr(worker, command.pop("do"))(**command)
        except Exception as error:  # the parent names it in the row, and goes on with the others
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
