"""The command with real trainings, as users run it: killed, resumed, reused, and deceived."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess, Popen

import numpy as np
import pytest

from experiment.history import EpochRecord
from parity.curves import results
from parity.curves.results import Results, Training

pytestmark = pytest.mark.slow

Run = Callable[..., CompletedProcess[str]]
SMALL = ("--epochs", 2, "--train-limit", 80, "--noise-runs", 2, "--device", "cpu", "--jobs", 2)
"""Two full batches and one of 16."""


@pytest.fixture(scope="module")
def finished(
    command: Run, small_cifar10: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, CompletedProcess[str]]:
    """A comparison of three seeds that nobody interrupted."""
    folder = tmp_path_factory.mktemp("curves")
    return folder, compare(command, small_cifar10, folder)


def compare(command: Run, data: Path, folder: Path, *more: object) -> CompletedProcess[str]:
    words = ("--seeds", 3, *SMALL, "--data", data, "--out", folder, *more)
    return command("parity", "curves", *words)


def losses(training: Training) -> list[tuple[float, float]]:
    return [(record.train_loss, record.test_loss) for record in training.epochs]


def test_leaves_results_and_figures_and_says_the_outcome(
    finished: tuple[Path, CompletedProcess[str]],
) -> None:
    folder, done = finished
    found = results.read(folder / "curves.json")
    assert done.returncode == found.exit_code, done.stderr
    assert f"outcome: {found.outcome.upper()}" in done.stdout
    for name in ("curves.png", "divergence.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    page = (folder / "report" / "report.html").read_text()
    assert page.count('class="differs"') == sum(not p.agrees for p in found.wall.predictions)
    assert (found.reference.framework, found.port.framework) == ("PyTorch", "JAX")
    assert [training.seed for training in found.port.trainings] == [0, 1, 2]
    assert found.reference.device == found.port.device == "cpu"
    assert found.shared.outcome == "inside"
    assert len(found.shared.port) == len(found.shared.reference) == 3
    assert len(found.shared.noise) == 2
    assert len(found.wall.predictions) == 40


def test_results_are_what_the_training_commands_measured(
    finished: tuple[Path, CompletedProcess[str]],
) -> None:
    folder, _ = finished
    found = results.read(folder / "curves.json")
    for arm, name in ((found.reference, "torch"), (found.port, "jax")):
        for training in arm.trainings:
            run = folder / "native" / f"{name}-seed-{training.seed}"
            lines = (run / "history.jsonl").read_text().splitlines()
            assert training.epochs == tuple(EpochRecord(**json.loads(line)) for line in lines)
        # The trained networks' own answers give the accuracy that the training measured.
        labels = np.array(
            json.loads((folder / "probe" / f"{name}.json").read_text())["test_labels"]
        )
        said = json.loads((folder / "predictions" / f"{name}.json").read_text())["networks"]
        for training, network in zip(arm.trainings, said, strict=True):
            accuracy = np.mean(np.array(network["answers"]) == labels)
            assert training.epochs[-1].test_accuracy == pytest.approx(accuracy)


def test_finished_trainings_are_reused_untouched(
    command: Run, small_cifar10: Path, finished: tuple[Path, CompletedProcess[str]]
) -> None:
    folder, first = finished
    kept = {p: p.stat().st_mtime_ns for p in (folder / "native").rglob("*") if p.is_file()}
    before = results.read(folder / "curves.json")
    done = compare(command, small_cifar10, folder)
    assert done.returncode == first.returncode, done.stderr
    assert "6 of 6 trainings are there" in done.stderr
    assert "Epoch: 1" not in done.stderr
    assert {p: p.stat().st_mtime_ns for p in kept} == kept
    after = results.read(folder / "curves.json")
    assert (after.native, after.shared, after.churn) == (before.native, before.shared, before.churn)


def test_a_killed_comparison_goes_on_to_the_same_numbers(
    command: Run,
    background: Callable[..., Popen[str]],
    wait_until: Callable[[Callable[[], bool]], None],
    small_cifar10: Path,
    finished: tuple[Path, CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    words = ("--seeds", 3, *SMALL, "--data", small_cifar10, "--out", tmp_path)
    process = background("parity", "curves", *words)
    for folder in ("torch-seed-0", "jax-seed-0"):
        recipe = tmp_path / "native" / folder / "recipe.json"
        wait_until(recipe.exists)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "curves.json").exists()
    done = compare(command, small_cifar10, tmp_path)
    assert done.returncode in (0, 1), done.stderr
    whole, resumed = (results.read(f / "curves.json") for f in (finished[0], tmp_path))
    for one, other in ((whole.reference, resumed.reference), (whole.port, resumed.port)):
        assert [losses(t) for t in one.trainings] == [losses(t) for t in other.trainings]
    assert whole.shared == resumed.shared


def test_what_is_damaged_or_foreign_is_named(
    command: Run,
    small_cifar10: Path,
    finished: tuple[Path, CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(finished[0], damaged)
    (damaged / "curves.json").unlink()

    def refused(name: str) -> str:
        done = compare(command, small_cifar10, damaged)
        assert done.returncode == 2, done.stdout
        assert name in done.stderr
        assert "Traceback" not in done.stderr
        assert not (damaged / "curves.json").exists()
        return done.stderr

    weights = damaged / "native" / "jax-seed-2" / "weights.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:1000])
    refused("jax-seed-2/weights.safetensors")
    weights.write_bytes(whole)
    noise = damaged / "shared" / "torch-2.json"
    noise.write_text(noise.read_text()[:200])
    assert "cut off" in refused("shared/torch-2.json")
    noise.unlink()
    shutil.rmtree(damaged / "native" / "jax-seed-1")
    shutil.copytree(damaged / "native" / "torch-seed-1", damaged / "native" / "jax-seed-1")
    assert "framework: JAX here, PyTorch there" in refused("native/jax-seed-1")


def test_seeds_that_train_together_learn_what_each_learns_alone(
    command: Run,
    small_cifar10: Path,
    finished: tuple[Path, CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    for seed in range(3):
        name = f"torch-seed-{seed}"
        shutil.copytree(finished[0] / "native" / name, tmp_path / "native" / name)
    done = compare(command, small_cifar10, tmp_path, "--replicas")
    assert done.returncode in (0, 1), done.stderr
    alone, together = (results.read(f / "curves.json").port for f in (finished[0], tmp_path))
    for one, other in zip(alone.trainings, together.trainings, strict=True):
        # Six steps of float32 in another order of operations.
        np.testing.assert_allclose(losses(other), losses(one), rtol=1e-5)
    again = compare(command, small_cifar10, tmp_path, "--replicas")
    assert "6 of 6 trainings are there" in again.stderr


def planted(command: Run, data: Path, folder: Path, *words: object) -> Results:
    done = compare(command, data, folder, "--seeds", 2, *words)
    assert done.returncode in (0, 1), done.stderr
    found = results.read(folder / "curves.json")
    assert done.returncode == found.exit_code
    assert "Self-test, planted into the port" in done.stdout
    return found


def test_a_learning_rate_ten_percent_higher_is_found(
    command: Run, small_cifar10: Path, tmp_path: Path
) -> None:
    found = planted(command, small_cifar10, tmp_path, "--port-learning-rate", 0.011)
    assert found.outcome == "different"
    # The first step of both is from the same weights; the second shows what the first did.
    assert found.shared.first_outside in (2, 3)
    assert (found.reference.learning_rate, found.port.learning_rate) == (0.01, 0.011)


def test_a_dropped_last_batch_is_found(command: Run, small_cifar10: Path, tmp_path: Path) -> None:
    found = planted(command, small_cifar10, tmp_path, "--port-drop-last")
    assert found.outcome == "different"
    assert "the port takes 2 steps in the first epoch, the reference 3" in found.shared.text
    command_line = json.loads((tmp_path / "native" / "jax-seed-0" / "provenance.json").read_text())[
        "command_line"
    ]
    assert "--drop-last" in command_line


def test_the_same_arm_twice_is_equivalent(
    command: Run, small_cifar10: Path, tmp_path: Path
) -> None:
    found = planted(command, small_cifar10, tmp_path, "--port-is-reference")
    assert found.outcome == "equivalent"
    assert found.shared.port == found.shared.reference
    assert set(found.churn.port) == {0.0}
