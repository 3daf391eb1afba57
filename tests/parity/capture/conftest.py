"""Small pairs in files, and commands that run on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[2]

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def forked() -> Iterator[Command]:
    """`forked(folder, *arguments)`: `python -m parity ARGUMENTS...` in a folder, without the
    seconds that importing takes."""
    with subprocess.Popen(
        [sys.executable, str(HERE / "forked_commands.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    ) as process:

        def run(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
            argv = [str(argument) for argument in arguments]
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps({"argv": argv, "folder": str(folder)}) + "\n")
            process.stdin.flush()
            found = json.loads(process.stdout.readline())
            return subprocess.CompletedProcess(
                argv, found["code"], found["stdout"], found["stderr"]
            )

        yield run
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="session")
def pair_file() -> Callable[..., Path]:
    """`pair_file(folder, more)`: the small pair in a file, and after it what a test changes."""

    def write(folder: Path, more: str = "", name: str = "my_pair.py") -> Path:
        path = folder / name
        path.write_text((HERE / "small_pair.py").read_text() + "\n\n" + more)
        return path

    return write


@pytest.fixture(scope="session")
def captures(
    forked: Command, pair_file: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """`captures(framework, lane)`: a capture of the small pair, made when it is first asked for."""
    folder = tmp_path_factory.mktemp("captures")
    pair = pair_file(folder)

    def capture(framework: str, lane: str = "float64") -> Path:
        path = folder / f"{framework}-{lane}.safetensors"
        if not path.exists():
            argv: list[Any] = ["capture", pair, "--framework", framework, "--lane", lane]
            if (framework, lane) != ("torch", "float64"):
                argv += ["--oracle", capture("torch")]
            done = forked(folder, *argv, "--out", path)
            assert done.returncode == 0, done.stderr
        return path

    return capture
