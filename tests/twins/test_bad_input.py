"""Bad input gets a sentence and exit code 2: no traceback, nothing lost."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from experiment.command import run


@pytest.fixture
def train(framework: str, command: Any, small_cifar10: Path) -> Any:
    """Train for an epoch on the small pictures unless the arguments say otherwise."""

    def train(
        *arguments: object, data: object = small_cifar10, limited_by: Path | None = None
    ) -> Any:
        line = (f"{framework}.train", "--data", data, "--epochs", 1, "--device", "cpu", *arguments)
        if limited_by is None:
            return command(*line)
        return subprocess.run(
            [sys.executable, str(limited_by), *map(str, line)],
            capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[2],
        )  # fmt: skip

    return train


@pytest.fixture
def train_here(framework: str, small_cifar10: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """The same command in this process, which has imported the frameworks already."""
    program = importlib.import_module(f"{framework}.train")

    def train(*arguments: object) -> subprocess.CompletedProcess[str]:
        line = ["--data", small_cifar10, "--epochs", 1, "--device", "cpu", *arguments]
        words = [str(word) for word in line]
        try:
            code = run(program.__name__, program.FRAMEWORK, program.train, words)
        except SystemExit as end:  # how tyro refuses words that are no options
            code = end.code if isinstance(end.code, int) else 1
        return subprocess.CompletedProcess(words, code, *capsys.readouterr())

    return train


@pytest.fixture
def finished(train: Any, tmp_path: Path) -> Path:
    """The folder of a finished run."""
    done = train("--out", tmp_path / "finished")
    assert done.returncode == 0, done.stderr
    return tmp_path / "finished"


def assert_refused(done: subprocess.CompletedProcess[str], *said: str) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    shown = " ".join((done.stdout + done.stderr).split())
    for words in said:
        assert words in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--epochs", "0"), "epochs: found 0, expected a whole number at least 1 (--epochs)"),
        (("--batch-size", "0"), "batch_size: found 0"),
        (("--batch-size", "161"), "batch_size: found 161, expected at most the 160"),
        (("--train-limit", "20"), "batch_size: found 32, expected at most the 20"),
        (("--learning-rate", "-1"), "learning_rate: found -1.0"),
        (("--learning-rate", "nan"), "learning_rate: found nan"),
        (("--learning-rate", "fast"), "fast"),
        (("--momentum", "-0.1"), "momentum: found -0.1"),
        (("--weight-decay", "nan"), "weight_decay: found nan"),
        (("--nesterov",), "expected a momentum"),
        (("--train-limit", "161"), "--train-limit"),
        (("--test-limit", "0"), "--test-limit"),
        (("--precision", "bf16"), "bf16"),
        (("--speed", "9"), "--speed"),
        (("--init", "nowhere.safetensors"), "nowhere.safetensors: cannot be read as weights"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_option_that_cannot_be(
    train_here: Any, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    assert_refused(train_here("--out", tmp_path / "run", *arguments), said)
    assert not (tmp_path / "run").exists()


def test_gpu_that_is_not_there(train: Any, tmp_path: Path) -> None:
    done = train("--out", tmp_path / "run", "--device", "gpu")
    if done.returncode == 0:
        pytest.skip("this machine has a GPU")
    assert_refused(done, "--device gpu:", "use --device cpu")


def test_missing_data(train: Any, tmp_path: Path) -> None:
    assert_refused(train("--out", tmp_path / "run", data=tmp_path / "nowhere"), "nowhere")
    assert not (tmp_path / "run").exists()


def test_init_that_does_not_fit_names_every_tensor(
    train: Any, finished: Path, tmp_path: Path
) -> None:
    weights = load_file(finished / "weights.safetensors")
    del weights["fc2.bias"]
    weights["fc3.bias"] = np.zeros(10, np.float32)
    weights["conv1.weight"] = weights["conv1.weight"].transpose(2, 3, 1, 0).copy()
    weights["conv2.bias"][3] = np.nan
    save_file(weights, tmp_path / "wrong.safetensors")
    assert_refused(
        train("--out", tmp_path / "run", "--init", tmp_path / "wrong.safetensors"),
        "fc2.bias: missing",
        "fc3.bias: not in the network",
        "conv1.weight: found shape (3, 3, 3, 64), expected (64, 3, 3, 3)",
        "conv2.bias: 1 of 64 values are NaN or Inf",
    )
    assert not (tmp_path / "run").exists()


def test_folder_that_is_not_empty(train: Any, finished: Path, tmp_path: Path) -> None:
    before = (finished / "history.jsonl").read_bytes()
    assert_refused(train("--out", finished), "not empty", "--resume")
    assert (finished / "history.jsonl").read_bytes() == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("do not touch")
    for more in ((), ("--resume",)):
        assert_refused(train("--out", tmp_path / "mine", *more), "thesis.txt")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_out_that_is_a_file_or_below_one(train: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert_refused(train("--out", tmp_path / "file"), "found a file")
    assert_refused(train("--out", tmp_path / "file" / "run"), "file/run")


def test_resume_with_another_recipe_shows_the_difference(train: Any, finished: Path) -> None:
    before = (finished / "recipe.json").read_bytes()
    done = train("--out", finished, "--resume", "--learning-rate", 0.5, "--batch-size", 16)
    assert_refused(done, "learning_rate: 0.5 here, 0.01 there", "batch_size: 16 here, 32 there")
    assert (finished / "recipe.json").read_bytes() == before


def test_resume_with_other_pictures(
    train: Any, finished: Path, tmp_path: Path, small_cifar10: Path
) -> None:
    shutil.copytree(small_cifar10, tmp_path / "changed")
    with (tmp_path / "changed" / "test_batch.bin").open("r+b") as file:
        file.seek(100)
        file.write(b"\x00\xff\x00\xff")
    done = train("--out", finished, "--resume", "--epochs", 2, data=tmp_path / "changed")
    assert_refused(done, "other data than those of the run in it")


def test_resume_by_the_other_framework(framework: str, command: Any, finished: Path) -> None:
    other = {"torch_ref": "jax_impl", "jax_impl": "torch_ref"}[framework]
    assert_refused(command(f"{other}.train", "--out", finished, "--resume"), "found a", "--init")


def test_resume_of_a_damaged_recipe(train: Any, finished: Path) -> None:
    (finished / "recipe.json").write_text('{"epochs": 1')
    assert_refused(train("--out", finished, "--resume"), "recipe.json: not JSON")


def test_loss_that_is_no_longer_finite(train: Any, tmp_path: Path) -> None:
    done = train("--out", tmp_path / "run", "--learning-rate", 1e30, "--epochs", 3)
    assert_refused(done, "in epoch 1, step", "the last good checkpoint is kept")
    assert any((tmp_path / "run" / "checkpoint").iterdir())
    assert not (tmp_path / "run" / "history.jsonl").read_text()


def test_loss_that_breaks_in_the_last_step_of_an_epoch(train: Any, tmp_path: Path) -> None:
    done = train(
        "--out", tmp_path / "run", "--learning-rate", 1e30, "--epochs", 3, "--train-limit", 32
    )
    assert_refused(done, "after the last step of epoch 1", "the last good checkpoint is kept")
    assert not (tmp_path / "run" / "history.jsonl").read_text()


def test_resume_without_its_checkpoints_throws_nothing_away(train: Any, finished: Path) -> None:
    before = (finished / "weights.safetensors").read_bytes()
    (finished / "checkpoint").rename(finished.with_name("elsewhere"))
    assert_refused(train("--out", finished, "--resume"), "found no checkpoint", "--init")
    assert (finished / "weights.safetensors").read_bytes() == before
    assert (finished / "history.jsonl").read_text()


def test_resume_of_no_run_says_that_it_starts_from_the_beginning(
    train: Any, tmp_path: Path
) -> None:
    done = train("--out", tmp_path / "new", "--resume")
    assert done.returncode == 0
    assert "no run to resume" in done.stderr


def test_foreign_file_among_the_checkpoints(train: Any, finished: Path) -> None:
    (finished / "checkpoint" / "epoch-0001 copy.pt").write_text("x")
    done = train("--out", finished, "--resume", "--epochs", 2)
    assert done.returncode == 0, done.stderr


def test_output_that_cannot_show_the_table(framework: str, command: Any) -> None:
    done = command(f"{framework}.model", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr


def test_checkpoint_that_cannot_be_written(train: Any, tmp_path: Path) -> None:
    """A limit on the size of files, as a quota: the disk has room and the write still fails."""
    script = tmp_path / "limited.py"
    script.write_text(
        "import resource, runpy, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
        "module = sys.argv.pop(1)\n"
        "runpy.run_module(module, run_name='__main__', alter_sys=True)\n"
    )
    # A run begun without the limit has its caches and figures; only the checkpoint is too large.
    done = train("--out", tmp_path / "run", limited_by=script)
    assert_refused(done, "cannot be written", "the last good one is kept")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for the first checkpoint and not for all that follows."""
    mount = tmp_path / "small-disk"
    mount.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2600k", "tmpfs", mount], capture_output=True
    )
    if made.returncode:
        pytest.skip("needs the right to mount a small file system")
    yield mount
    subprocess.run(["umount", "-l", mount], check=True)


def test_full_disk_keeps_the_last_good_checkpoint(train: Any, small_disk: Path) -> None:
    done = train("--out", small_disk / "run", "--epochs", 6)
    assert_refused(done, "small-disk/run")
    subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
    assert not list((small_disk / "run").glob(".*.tmp"))
    resumed = train("--out", small_disk / "run", "--epochs", 6, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    lines = (small_disk / "run" / "history.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3, 4, 5, 6]
