"""Runs `python -m parity ...` in forks of one process that has imported both frameworks.

A command is as much on its own as in a process of its own, and needs no seconds of imports. Reads
lines of JSON, {"argv", "folder"}, and answers with {"code", "stdout", "stderr"}.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import IO, Any

import flax.nnx
import jax
import optax
import torch

from parity.__main__ import main

IMPORTED = (flax.nnx, jax, optax, torch)
"""Imported only: a backend that computes has threads, and threads do not survive a fork."""


def run(argv: list[str], folder: str) -> dict[str, Any]:
    """One command in a fork."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = os.fork()
        if child == 0:
            _become(argv, folder, out, err)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return {"code": code, "stdout": _text(out), "stderr": _text(err)}


def _become(argv: list[str], folder: str, out: IO[str], err: IO[str]) -> None:
    code = 1
    try:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        os.chdir(folder)
        sys.path.insert(0, folder)
        code = main(argv)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    for line in sys.stdin:
        answer = json.dumps(run(**json.loads(line)))
        print(answer, flush=True)
