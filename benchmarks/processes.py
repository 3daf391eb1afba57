"""The parent's end of a worker's pipe."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
from types import TracebackType
from typing import Any

from experiment.errors import UserError

LAST_CHARACTERS = 600
"""Of a dead worker's output that is shown."""

PATIENCE = 300.0
"""Seconds in which a worker has to answer."""


WORKERS = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
"""Environment of workers: they share the GPU's memory."""


class WorkerError(UserError):
    """A worker that died, is silent, or could not do what it was asked."""


class WorkerProcess:
    """One worker. As a context it is ended however the block ends."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env={**os.environ, **environment},
        )

    def ask(self, do: str, patience: float = PATIENCE, **arguments: Any) -> dict[str, Any]:
        """Send a command and wait for its answer. Raises `WorkerError`."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise WorkerError(f"the worker died; its last words: {self._last()}") from error
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(patience):
                raise WorkerError(f"{do}: no answer within {patience:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            raise WorkerError(f"the worker died in {do}; its last words: {self._last()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"][:LAST_CHARACTERS])
        return answer

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.communicate()
        self.log.close()

    def _last(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace").strip()[-LAST_CHARACTERS:]
