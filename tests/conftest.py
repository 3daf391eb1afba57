"""What every test shares: caches of its own, a small CIFAR-10, and commands as users run them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

# The tests compare frameworks on the CPU; subprocesses inherit it.
os.environ["JAX_PLATFORMS"] = "cpu"

import numpy as np
import pytest

REPOSITORY = Path(__file__).parents[1]
FRAMEWORKS = ("torch_ref", "jax_impl")

TRAIN_PICTURES, TEST_PICTURES = 160, 40


@pytest.fixture(scope="session", autouse=True)
def own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the user's caches, or looks other because of the user's settings."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "JAX_COMPILATION_CACHE_DIR", "CIFAR10_URL"):
            patch.delenv(name, raising=False)
        patch.setenv("CIFAR10_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def small_cifar10(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """160 + 40 random pictures in the official binary layout, two classes told apart by colour."""
    folder = tmp_path_factory.mktemp("small-cifar10")
    random = np.random.default_rng(7)
    files = [(f"data_batch_{i}.bin", TRAIN_PICTURES // 5) for i in range(1, 6)]
    for name, count in [*files, ("test_batch.bin", TEST_PICTURES)]:
        labels = random.integers(0, 2, count, dtype=np.uint8)
        pictures = random.integers(0, 128, (count, 3, 1024), dtype=np.uint8)
        pictures[np.arange(count), labels] += 127
        records = np.concatenate([labels[:, None], pictures.reshape(count, -1)], axis=1)
        records.tofile(folder / name)
    return folder


@pytest.fixture(params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> str:
    """Each of the two implementations in turn."""
    return request.param


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def command() -> Run:
    """Run `python -m MODULE ARGUMENTS...` as a user does, and wait for it."""

    def run(
        module: str, *arguments: object, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            _command_line(module, arguments),
            capture_output=True,
            text=True,
            cwd=REPOSITORY,
            env={**os.environ, **environment},
            timeout=300,
        )

    return run


@pytest.fixture
def background() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a command and go on; whatever still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(module: str, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            _command_line(module, arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()


@pytest.fixture(scope="session")
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Wait until a condition holds; fail after a minute."""

    def wait(holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < deadline, "what was waited for did not come within a minute"
            time.sleep(0.005)

    return wait


def _command_line(module: str, arguments: tuple[object, ...]) -> list[str]:
    return [sys.executable, "-m", module, *map(str, arguments)]
