"""Whether both frameworks see a GPU, asked before minutes are spent on the CPU's lanes.

Each is asked in a process of its own, as captures are made. NumPy only.
"""

from __future__ import annotations

import os
import subprocess
import sys

from experiment.errors import EXIT_USER_ERROR
from experiment.options import DeviceError
from parity.capture.processes import ERROR, LAST_LINES

_QUESTION = """
import sys
from experiment.errors import UserError
from {package}.device import select_device
try:
    select_device("gpu", "float32")
except UserError as error:
    print(f"{mark}{{error}}", file=sys.stderr)
    sys.exit({code})
"""


def check_gpus() -> None:
    """Raise `DeviceError` with the words of each framework that sees no GPU."""
    asked = {name: _ask(name) for name in ("torch_ref", "jax_impl")}
    answers = {name: process.communicate()[1] for name, process in asked.items()}
    problems = [
        _problem(answers[name]) for name, process in asked.items() if process.returncode != 0
    ]
    if problems:
        raise DeviceError("\n".join(problems))


def _ask(package: str) -> subprocess.Popen[str]:
    question = _QUESTION.format(package=package, mark=ERROR, code=EXIT_USER_ERROR)
    return subprocess.Popen(
        [sys.executable, "-c", question],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        },
    )


def _problem(said: str) -> str:
    """The error that a process ended with; its last lines where it ended otherwise."""
    _, mark, error = f"\n{said}".rpartition(f"\n{ERROR}")
    return error.strip() if mark else "\n".join(said.strip().splitlines()[-LAST_LINES:])
