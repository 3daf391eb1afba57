"""Verdicts on ports of the built-in pair, from captures that are made once."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

import pytest

from parity.capture.capture_file import read_capture
from parity.evidence import LaneEvidence
from parity.judge import judge
from parity.stages.names import STAGES
from parity.verdict import Verdict

HERE = Path(__file__).parent


def _ports() -> ModuleType:
    """The module beside this file; pytest's import mode adds no folder to the path."""
    sys.path.insert(0, str(HERE))
    try:
        return importlib.import_module("ports")
    finally:
        sys.path.pop(0)


@pytest.fixture(scope="session")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Iterable[str]], Path]:
    """Capture ports and the references they need, once; returns the folder."""
    folder, ports = tmp_path_factory.mktemp("captures"), _ports()

    def capture(names: Iterable[str]) -> Path:
        references = dict.fromkeys(ports.PORTS[name][0] for name in names)
        for framework, wanted in (("torch", references), ("jax", names)):
            missing = [n for n in wanted if not (folder / f"{n}.safetensors").exists()]
            if missing:
                _run(folder, framework, missing)
        return folder

    return capture


def _run(folder: Path, framework: str, names: list[str]) -> None:
    path = os.pathsep.join([str(HERE.parents[2]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(HERE / "capture_all.py"), str(folder), framework, *names],
        env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)},
        capture_output=True,
        text=True,
        timeout=550,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def verdict_on(captured: Callable[[Iterable[str]], Path]) -> Callable[..., Verdict]:
    """(port, the ports that are captured with it, stages) -> the proof lane's verdict."""
    ports = _ports()

    def verdict(name: str, together: Iterable[str], stages: Iterable[str] = STAGES) -> Verdict:
        folder = captured(list(together))
        reference, port = ports.PORTS[name][0], name
        sides = (read_capture(folder / f"{each}.safetensors") for each in (reference, port))
        return judge([LaneEvidence("float64", *sides)], stages)

    return verdict
