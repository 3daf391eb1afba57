"""`python -m torch_ref.train` and `python -m jax_impl.train`, as a user meets them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from safetensors import safe_open

OPTIONS = (
    "--epochs", "--batch-size", "--learning-rate", "--momentum", "--nesterov", "--weight-decay",
    "--seed", "--data", "--train-limit", "--test-limit", "--init", "--out", "--resume",
    "--precision", "--device", "--tensorboard",
)  # fmt: skip
EPOCH_LINE = re.compile(
    r"^Epoch: \d+, Train_acc:\d+\.\d%, Train_loss:\d+\.\d{3}, "
    r"Test_acc:\d+\.\d%, Test_loss:\d+\.\d{3}",
    re.MULTILINE,
)


@pytest.fixture
def run(framework: str, command: Any, small_cifar10: Path) -> Any:
    """Train for two epochs on the small pictures."""

    def run(out: Path, *more: object) -> Any:
        return command(
            f"{framework}.train", "--data", small_cifar10, "--epochs", 2, "--seed", 0,
            "--learning-rate", 0.1, "--device", "cpu", "--out", out, *more,
        )  # fmt: skip

    return run


def test_leaves_a_whole_run_folder(framework: str, run: Any, tmp_path: Path) -> None:
    done = run(tmp_path / "new" / "run", "--tensorboard")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "new" / "run"
    assert {path.name for path in folder.iterdir()} == {
        "recipe.json", "provenance.json", "history.jsonl", "weights.safetensors", "checkpoint",
        "samples.png", "curves.png", "tensorboard",
    }  # fmt: skip
    assert json.loads((folder / "recipe.json").read_text())["learning_rate"] == 0.1
    history = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in history] == [1, 2]
    assert history[1]["train_loss"] < history[0]["train_loss"]
    assert all(0 <= record["test_accuracy"] <= 1 for record in history)
    for name in ("samples.png", "curves.png"):
        with Image.open(folder / name) as picture:
            assert min(picture.size) > 300
    assert list((folder / "tensorboard").glob("events.out.tfevents.*"))
    with safe_open(folder / "weights.safetensors", "numpy") as weights:
        assert weights.get_slice("conv1.weight").get_shape() == [64, 3, 3, 3]
        assert weights.get_slice("fc1.weight").get_shape() == [256, 512]
        assert json.loads(weights.metadata()["about"])["epoch"] == 2


def test_shows_layers_and_an_epoch_a_line(run: Any, tmp_path: Path) -> None:
    done = run(tmp_path / "run")
    assert "246,474" in done.stdout
    assert len(EPOCH_LINE.findall(done.stdout)) == 2
    assert str(tmp_path / "run") in done.stdout


def test_provenance_says_where_the_run_comes_from(
    framework: str, run: Any, tmp_path: Path, small_cifar10: Path
) -> None:
    run(tmp_path / "run")
    provenance = json.loads((tmp_path / "run" / "provenance.json").read_text())
    assert provenance["versions"].keys() >= {{"torch_ref": "torch", "jax_impl": "jax"}[framework]}
    assert provenance["device"] == "cpu"
    assert provenance["threads"] >= 1
    assert "--learning-rate" in provenance["command_line"]
    assert provenance["data"]["official"] is False
    assert re.fullmatch("[0-9a-f]{64}", provenance["data"]["sha256"])
    assert str(small_cifar10) in provenance["data"]["source"]
    assert set(provenance["precision"].values()) <= {"ieee", "highest", "False"}


def test_tf32_switches_are_turned_on_and_recorded(framework: str, run: Any, tmp_path: Path) -> None:
    done = run(tmp_path / "run", "--precision", "tf32")
    assert done.returncode == 0, done.stderr
    precision = json.loads((tmp_path / "run" / "provenance.json").read_text())["precision"]
    expected = {
        "torch_ref": {"cuda.matmul.fp32_precision": "tf32", "cudnn.conv.fp32_precision": "tf32"},
        "jax_impl": {"jax_default_matmul_precision": "tensorfloat32", "jax_enable_x64": "False"},
    }
    assert precision == expected[framework]


def test_same_command_gives_the_same_weights(run: Any, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert run(tmp_path / name).returncode == 0
    assert (tmp_path / "a" / "weights.safetensors").read_bytes() == (
        tmp_path / "b" / "weights.safetensors"
    ).read_bytes()


def test_other_framework_starts_from_the_weights(
    run: Any, command: Any, framework: str, tmp_path: Path, small_cifar10: Path
) -> None:
    assert run(tmp_path / "first").returncode == 0
    other = {"torch_ref": "jax_impl", "jax_impl": "torch_ref"}[framework]
    done = command(
        f"{other}.train", "--data", small_cifar10, "--init", tmp_path / "first/weights.safetensors",
        "--epochs", 1, "--learning-rate", 0, "--out", tmp_path / "second", "--device", "cpu",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    last, first = (
        json.loads((tmp_path / name / "history.jsonl").read_text().splitlines()[-1])
        for name in ("first", "second")
    )
    assert first["test_loss"] == pytest.approx(last["test_loss"], rel=1e-6)


def test_stand_in_is_announced_everywhere(framework: str, command: Any, tmp_path: Path) -> None:
    """auto, with a mirror that nobody listens at: no network, as far as it can tell."""
    done = command(
        f"{framework}.train", "--epochs", 1, "--train-limit", 64, "--test-limit", 32,
        "--out", tmp_path / "run", "--device", "cpu",
        CIFAR10_DIR="", CIFAR10_URL="http://127.0.0.1:9/cifar-10-binary.tar.gz",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "!!!!!!!!" in done.stdout
    assert "SYNTHETIC STAND-IN DATA" in done.stdout
    data = json.loads((tmp_path / "run" / "provenance.json").read_text())["data"]
    assert data["synthetic"] is True
    notice = (tmp_path / "run" / "NOTICE-SYNTHETIC-DATA.txt").read_text()
    assert notice.strip() == data["notice"]
    assert "127.0.0.1:9" in data["notice"]


def test_help_explains_every_option_alike_in_both(command: Any) -> None:
    texts = {}
    for package in ("torch_ref", "jax_impl"):
        done = command(f"{package}.train", "--help", COLUMNS="100")
        assert done.returncode == 0
        unframed = re.sub(r"[\s│╭╮╰╯─]+", " ", done.stdout)
        texts[package] = unframed.replace(package, "PACKAGE")
    assert texts["torch_ref"] == texts["jax_impl"]
    for option in OPTIONS:
        assert option in texts["jax_impl"]
    for default in ("default: 10", "default: 32", "default: 0.01", "default: auto"):
        assert default in texts["jax_impl"]


@pytest.mark.parametrize("package", ["torch_ref", "jax_impl"])
def test_model_command_prints_the_layer_table(command: Any, package: str) -> None:
    done = command(f"{package}.model")
    assert done.returncode == 0, done.stderr
    assert "246,474" in done.stdout
    assert "36,928" in done.stdout
    assert "\x1b" not in done.stdout
