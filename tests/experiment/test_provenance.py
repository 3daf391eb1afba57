"""A run says where it comes from, whatever folder and checkout it runs in."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from experiment.cifar10 import Cifar10
from experiment.options import Options
from experiment.provenance import Environment, code_digests, describe

REPOSITORY = Path(__file__).parents[2]
ENVIRONMENT = Environment(
    framework="JAX", packages=("jax",), device="cpu", precision={"switch": "off"}, threads=3,
    code="jax_impl",
)  # fmt: skip


@pytest.fixture
def data() -> Cifar10:
    images, labels = np.zeros((1, 32, 32, 3), np.uint8), np.zeros(1, np.uint8)
    return Cifar10(
        train_images=images, train_labels=labels, test_images=images, test_labels=labels,
        spec="/a/folder", source="a folder", fingerprint="f" * 64, official=False, synthetic=True,
        notice="made up",
    )  # fmt: skip


def test_names_versions_device_switches_data_and_start(data: Cifar10) -> None:
    found = describe(ENVIRONMENT, data, Options(data="auto", init="w.safetensors"), "a" * 64)
    assert found["versions"] == {name: metadata.version(name) for name in ("jax", "numpy")}
    assert (found["device"], found["threads"]) == ("cpu", 3)
    assert found["precision"] == {"switch": "off"}
    assert found["data"] == {
        "spec": "/a/folder", "source": "a folder", "sha256": "f" * 64, "official": False,
        "synthetic": True, "notice": "made up",
    }  # fmt: skip
    assert found["init"] == {"source": "w.safetensors", "sha256": "a" * 64}
    assert found["command_line"] == sys.orig_argv
    json.dumps(found)


def test_the_code_that_trains_has_a_digest_of_its_own(data: Cifar10) -> None:
    found = describe(ENVIRONMENT, data, Options(), None)["code"]
    assert found == code_digests("jax_impl")
    assert found.keys() == {"experiment", "jax_impl"}
    assert found["experiment"] == code_digests("torch_ref")["experiment"]


def test_git_commit_is_that_of_the_code_not_of_the_working_folder(
    data: Cifar10, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    monkeypatch.chdir(tmp_path)
    found = describe(ENVIRONMENT, data, Options(), None)["git"]
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if head.returncode:
        assert found is None  # the tests run from a copy without its history
    else:
        assert found["commit"] == head.stdout.strip()


def test_no_git_no_commit(data: Cifar10, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert describe(ENVIRONMENT, data, Options(), None)["git"] is None
