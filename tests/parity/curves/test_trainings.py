"""A finished training is reused where everything is as it would be now, and else never."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiment.cifar10 import Cifar10
from experiment.history import EpochRecord, HistoryError, Metrics
from experiment.options import Options
from experiment.provenance import Environment, code_digests, describe
from experiment.run_folder import RunFolder
from experiment.stored_run import RunFolderError
from parity.curves.comparison import Comparison
from parity.curves.layout import PORT, Layout
from parity.curves.planted import without_short_batch
from parity.curves.records import Surroundings
from parity.curves.trainings import MixedTrainingsError, Wanted, state, wanted

COMPARISON = Comparison(seeds=2, epochs=2, train_limit=20)
ENVIRONMENT = Environment(
    framework="JAX", packages=("jax",), device="cpu", precision={"switch": "off"}, threads=1,
    code="jax_impl",
)  # fmt: skip


def pictures() -> Cifar10:
    images, labels = np.zeros((20, 32, 32, 3), np.uint8), np.zeros(20, np.uint8)
    return Cifar10(
        train_images=images, train_labels=labels, test_images=images, test_labels=labels,
        spec="auto", source="a folder", fingerprint="f" * 64, official=True, synthetic=False,
        notice=None,
    )  # fmt: skip


def trained(training: Wanted, epochs: int = 2, environment: Environment = ENVIRONMENT) -> None:
    """Leave in the folder what the training command would."""
    options = Options(recipe=training.recipe, out=training.path)
    folder = RunFolder(options, environment.framework)
    folder.begin(describe(environment, pictures(), options, "a" * 64), pictures())
    for epoch in range(1, epochs + 1):
        folder.history.append(EpochRecord.of(epoch, Metrics(2.3, 0.1), Metrics(2.3, 0.1), 20, 1.0))


@pytest.fixture
def training(tmp_path: Path) -> Wanted:
    """Nothing is in its folder."""
    return wanted(COMPARISON, Layout(tmp_path / "new"), PORT)[1]


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    training = wanted(COMPARISON, Layout(tmp_path_factory.mktemp("comparison")), PORT)[1]
    trained(training)
    return training.path


@pytest.fixture
def finished(finished_once: Path, tmp_path: Path) -> Wanted:
    """A training of its own that is finished."""
    training = wanted(COMPARISON, Layout(tmp_path), PORT)[1]
    shutil.copytree(finished_once, training.path)
    return training


@pytest.fixture
def here() -> Surroundings:
    """What would train now."""
    about: dict[str, Any] = describe(ENVIRONMENT, pictures(), Options(), None)
    names = ("framework", "versions", "python", "device", "precision", "threads", "code")
    return Surroundings(data_sha256="f" * 64, **{name: about[name] for name in names})


def test_goes_from_missing_over_begun_to_finished(training: Wanted, here: Surroundings) -> None:
    assert state(training, here) == "missing"
    trained(training, epochs=1)
    assert state(training, here) == "begun"
    (training.path / "history.jsonl").unlink()
    (training.path / "recipe.json").unlink()
    trained(training)
    assert state(training, here) == "finished"


def changed(here: Surroundings, name: str) -> Any:
    return {
        "threads": 2,
        "device": "gpu: NVIDIA H100",
        "python": "3.99",
        "versions": {**here.versions, "jax": "9"},
        "precision": {"switch": "on"},
        "code": {**here.code, "jax_impl": "0" * 16},
        "data_sha256": "e" * 64,
        "framework": "PyTorch",
    }[name]


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Surroundings)])
def test_is_refused_where_anything_is_otherwise_now(
    finished: Wanted, here: Surroundings, name: str
) -> None:
    now = dataclasses.replace(here, **{name: changed(here, name)})
    with pytest.raises(MixedTrainingsError) as caught:
        state(finished, now)
    assert str(finished.path) in str(caught.value)
    assert ("pictures" if name == "data_sha256" else name) in str(caught.value)
    assert "here, " in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"port_learning_rate": 0.011}, "learning_rate: 0.011 here, 0.01 there"),
        ({"port_drop_last": True}, "short batches left out: True here, False there"),
        ({"epochs": 3}, "epochs: 3 here, 2 there"),
        ({"train_limit": 16}, "train_limit: 16 here, 20 there"),
    ],
)
def test_is_refused_where_another_one_is_wanted(
    tmp_path: Path, finished: Wanted, here: Surroundings, change: dict[str, Any], said: str
) -> None:
    other = wanted(dataclasses.replace(COMPARISON, **change), Layout(tmp_path), PORT)[1]
    with pytest.raises(MixedTrainingsError, match=said):
        state(other, here)


def test_other_initial_weights_are_refused(finished: Wanted, here: Surroundings) -> None:
    path = finished.path / "provenance.json"
    about = json.loads(path.read_text())
    about["init"]["source"] = "weights.safetensors"
    path.write_text(json.dumps(about))
    with pytest.raises(MixedTrainingsError, match="initial weights: native here"):
        state(finished, here)


def test_a_resumption_under_other_code_is_refused(finished: Wanted, here: Surroundings) -> None:
    path = finished.path / "provenance.json"
    about = json.loads(path.read_text())
    about["resumed"] = [{**vars(here), "code": {"experiment": "0" * 16}}]
    path.write_text(json.dumps(about))
    with pytest.raises(MixedTrainingsError, match=r"code: .*experiment': '0000"):
        state(finished, here)


def test_damaged_files_are_named(finished: Wanted, here: Surroundings) -> None:
    history = finished.path / "history.jsonl"
    whole = history.read_text()
    history.write_text("nonsense\n" + whole)
    with pytest.raises(HistoryError, match=r"history\.jsonl, line 1"):
        state(finished, here)
    history.write_text(whole)
    (finished.path / "provenance.json").write_text('{"framework"')
    with pytest.raises(RunFolderError, match=r"provenance\.json"):
        state(finished, here)


def test_the_code_that_trains_is_this_code(here: Surroundings) -> None:
    assert here.code == code_digests("jax_impl")


def test_dropping_the_last_batch_leaves_full_batches() -> None:
    np.testing.assert_array_equal(without_short_batch(np.arange(80)), np.arange(64))
    np.testing.assert_array_equal(without_short_batch(np.arange(64)), np.arange(64))
