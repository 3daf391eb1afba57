"""A run that is stopped, however roughly, goes on as if nothing had happened."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EPOCHS = 4
TIMINGS = ("seconds", "images_per_second")


@pytest.fixture
def arguments(framework: str, small_cifar10: Path) -> tuple[object, ...]:
    """A run whose optimizer has state of its own."""
    return (
        f"{framework}.train", "--data", small_cifar10, "--epochs", EPOCHS, "--momentum", 0.9,
        "--nesterov", "--weight-decay", 1e-3, "--device", "cpu", "--batch-size", 24,
    )  # fmt: skip


@pytest.fixture(scope="module")
def uninterrupted_runs() -> dict[str, Path]:
    return {}


@pytest.fixture
def uninterrupted(
    framework: str,
    arguments: tuple[object, ...],
    command: Any,
    tmp_path_factory: pytest.TempPathFactory,
    uninterrupted_runs: dict[str, Path],
) -> Path:
    """The same run, left alone; made once for each framework."""
    if framework not in uninterrupted_runs:
        folder = tmp_path_factory.mktemp("uninterrupted") / framework
        done = command(*arguments, "--out", folder)
        assert done.returncode == 0, done.stderr
        uninterrupted_runs[framework] = folder
    return uninterrupted_runs[framework]


def numbers(folder: Path) -> list[dict[str, Any]]:
    """The history without what differs between any two runs."""
    lines = (folder / "history.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k not in TIMINGS} for line in lines]


def assert_same_run(folder: Path, other: Path) -> None:
    assert numbers(folder) == numbers(other)
    assert (folder / "weights.safetensors").read_bytes() == (
        other / "weights.safetensors"
    ).read_bytes()


def finished_epochs(folder: Path) -> int:
    history = folder / "history.jsonl"
    return history.read_text().count("\n") if history.exists() else 0


@pytest.mark.slow
def test_killed_again_and_again(
    arguments: tuple[object, ...],
    uninterrupted: Path,
    background: Callable[..., Any],
    command: Any,
    wait_until: Callable[[Callable[[], bool]], None],
    tmp_path: Path,
) -> None:
    """kill -9 before the first step, as soon as an epoch is recorded, and some time after that,
    within the next epoch's steps or while its checkpoint is written."""
    folder = tmp_path / "run"
    moments: list[tuple[Callable[[], bool], float]] = [
        (lambda: folder.exists(), 0.0),
        (lambda: (folder / "recipe.json").exists(), 0.0),
        (lambda: finished_epochs(folder) >= 1, 0.0),
        (lambda: finished_epochs(folder) >= 2, 0.1),
        (lambda: finished_epochs(folder) >= 3, 0.03),
    ]
    for moment, later in moments:
        process = background(*arguments, "--out", folder, "--resume")
        wait_until(lambda moment=moment, process=process: moment() or process.poll() is not None)
        time.sleep(later)
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = command(*arguments, "--out", folder, "--resume")
    assert done.returncode == 0, done.stderr
    assert_same_run(folder, uninterrupted)


@pytest.mark.slow
def test_ctrl_c_ends_cleanly_and_resumably(
    framework: str,
    arguments: tuple[object, ...],
    uninterrupted: Path,
    background: Callable[..., Any],
    command: Any,
    wait_until: Callable[[Callable[[], bool]], None],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "run"
    process = background(*arguments, "--out", folder)
    wait_until(lambda: finished_epochs(folder) >= 1)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert f"python -m {framework}.train --out {folder} --resume" in stderr
    done = command(f"{framework}.train", "--out", folder, "--resume", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert_same_run(folder, uninterrupted)


@pytest.mark.slow
def test_ctrl_c_ends_cleanly_while_the_frameworks_are_imported(
    framework: str, background: Callable[..., Any], tmp_path: Path
) -> None:
    for delay in (0.3, 0.6, 0.9):
        process = background(f"{framework}.train", "--out", tmp_path / "run", "--epochs", 1)
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
        assert process.returncode == 130, (delay, stderr)
        assert "Traceback" not in stderr


def test_finished_run_can_be_trained_longer(
    framework: str, arguments: tuple[object, ...], uninterrupted: Path, command: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    assert command(*arguments, "--epochs", 2, "--out", folder).returncode == 0
    done = command(
        f"{framework}.train", "--out", folder, "--resume", "--epochs", EPOCHS, "--device", "cpu"
    )
    assert done.returncode == 0, done.stderr
    assert_same_run(folder, uninterrupted)
    assert json.loads((folder / "recipe.json").read_text())["epochs"] == EPOCHS
    assert len(json.loads((folder / "provenance.json").read_text())["resumed"]) == 1


def damage(folder: Path) -> None:
    """Overwrite the middle of every file of a checkpoint that holds numbers."""
    files = [folder] if folder.is_file() else [f for f in folder.rglob("*") if f.is_file()]
    largest = max(files, key=lambda file: file.stat().st_size)
    with largest.open("r+b") as file:
        file.seek(largest.stat().st_size // 2)
        file.write(bytes(1000))


def truncate(folder: Path) -> None:
    """Cut a checkpoint's largest file in half."""
    files = [folder] if folder.is_file() else [f for f in folder.rglob("*") if f.is_file()]
    largest = max(files, key=lambda file: file.stat().st_size)
    with largest.open("r+b") as file:
        file.truncate(largest.stat().st_size // 2)


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a run, oldest first."""
    return sorted(
        path for path in (folder / "checkpoint").iterdir()
        if path.name.removeprefix("epoch-").removesuffix(".pt").isdigit()
    )  # fmt: skip


@pytest.mark.parametrize("harm", [damage, truncate])
def test_damaged_checkpoint_falls_back_to_the_last_good_one(
    framework: str,
    arguments: tuple[object, ...],
    uninterrupted: Path,
    command: Any,
    tmp_path: Path,
    harm: Callable[[Path], None],
) -> None:
    folder = tmp_path / "run"
    assert command(*arguments, "--epochs", 3, "--out", folder).returncode == 0
    assert len(checkpoints(folder)) == 2
    harm(checkpoints(folder)[-1])
    done = command(*arguments, "--out", folder, "--resume")
    assert done.returncode == 0, done.stderr
    assert "the checkpoint after epoch 3" in done.stderr
    assert "is damaged" in done.stderr
    assert "Traceback" not in done.stderr
    assert "going on from the last good one, after epoch 2" in done.stderr
    assert_same_run(folder, uninterrupted)


def test_no_good_checkpoint_is_an_error_and_nothing_is_lost(
    framework: str, arguments: tuple[object, ...], command: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    assert command(*arguments, "--epochs", 1, "--out", folder).returncode == 0
    for checkpoint in checkpoints(folder):
        truncate(checkpoint)
    history = (folder / "history.jsonl").read_bytes()
    done = command(*arguments, "--epochs", 2, "--out", folder, "--resume")
    assert done.returncode == 2
    assert "no good checkpoint is left" in done.stderr
    assert "Traceback" not in done.stderr
    assert (folder / "history.jsonl").read_bytes() == history


def test_finished_run_resumes_to_itself(
    framework: str, arguments: tuple[object, ...], uninterrupted: Path, command: Any
) -> None:
    before = numbers(uninterrupted), (uninterrupted / "weights.safetensors").read_bytes()
    done = command(f"{framework}.train", "--out", uninterrupted, "--resume", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert before == (numbers(uninterrupted), (uninterrupted / "weights.safetensors").read_bytes())
