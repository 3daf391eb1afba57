"""A run folder is begun once, resumed by its own recipe, and never overwritten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from experiment.cifar10 import Cifar10
from experiment.history import EpochRecord, Metrics
from experiment.options import Options
from experiment.provenance import Environment, describe
from experiment.recipe import Recipe
from experiment.run_folder import RunFolder
from experiment.stored_run import RunFolderError, read_stored_run

ENVIRONMENT = Environment(
    framework="JAX", packages=("jax",), device="cpu", precision={"switch": "off"}, threads=3,
    code="jax_impl",
)  # fmt: skip


def pictures(notice: str | None = None) -> Cifar10:
    images, labels = np.zeros((20, 32, 32, 3), np.uint8), np.zeros(20, np.uint8)
    return Cifar10(
        train_images=images, train_labels=labels, test_images=images, test_labels=labels,
        spec="/a/folder", source="a folder", fingerprint="f" * 64, official=False,
        synthetic=notice is not None,
        notice=notice,
    )  # fmt: skip


def begin(path: Path, digest: str | None = "a" * 64, **options: Any) -> list[str]:
    chosen = Options(out=path, **options)
    folder = RunFolder(chosen, "JAX")
    return folder.begin(describe(ENVIRONMENT, pictures(), chosen, digest), pictures())


def test_nothing_is_written_before_it_begins(tmp_path: Path) -> None:
    RunFolder(Options(out=tmp_path / "run"), "JAX")
    assert not (tmp_path / "run").exists()


def test_default_folder_is_named_after_framework_and_time() -> None:
    path = RunFolder(Options(), "JAX").path
    assert path.parent == Path("runs")
    assert path.name.startswith("jax-2")


def test_beginning_leaves_recipe_provenance_and_samples(tmp_path: Path) -> None:
    assert begin(tmp_path / "run", recipe=Recipe(epochs=3)) == []
    assert {p.name for p in (tmp_path / "run").iterdir()} == {
        "recipe.json", "provenance.json", "samples.png",
    }  # fmt: skip
    stored = read_stored_run(tmp_path / "run")
    assert stored is not None
    assert stored.recipe == Recipe(epochs=3)


def test_stand_in_leaves_a_notice(tmp_path: Path) -> None:
    options = Options(out=tmp_path / "run")
    data = pictures("made up\nbecause")
    RunFolder(options, "JAX").begin(describe(ENVIRONMENT, data, options, None), data)
    notice = (tmp_path / "run" / "NOTICE-SYNTHETIC-DATA.txt").read_text()
    assert notice == "made up\nbecause\n"


@pytest.mark.parametrize("left", ["provenance.json", "samples.png", ".recipe.json-x1.tmp"])
def test_rest_of_a_run_that_was_killed_before_it_began_is_no_obstacle(
    tmp_path: Path, left: str
) -> None:
    (tmp_path / left).write_text("cut off")
    assert begin(tmp_path) == []
    assert begin(tmp_path, resume=True) == []


def test_resuming_keeps_the_first_provenance_and_adds_to_it(tmp_path: Path) -> None:
    begin(tmp_path)
    first = json.loads((tmp_path / "provenance.json").read_text())
    begin(tmp_path, digest=None, resume=True)
    second = json.loads((tmp_path / "provenance.json").read_text())
    assert len(second.pop("resumed")) == 1
    assert first.pop("resumed") == []
    assert second == first


def test_second_process_in_the_folder_is_refused(tmp_path: Path) -> None:
    options = Options(out=tmp_path / "run")
    first, second = RunFolder(options, "JAX"), RunFolder(options, "JAX")
    provenance = describe(ENVIRONMENT, pictures(), options, None)
    first.begin(provenance, pictures())
    with pytest.raises(RunFolderError, match="another process is training in it"):
        second.begin(provenance, pictures())
    del first
    with pytest.raises(RunFolderError, match="not empty"):  # it has begun since we looked
        second.begin(provenance, pictures())


def test_resuming_a_run_that_is_alive_is_refused_before_its_checkpoints_are_touched(
    tmp_path: Path,
) -> None:
    options = Options(out=tmp_path / "run")
    alive = RunFolder(options, "JAX")
    alive.begin(describe(ENVIRONMENT, pictures(), options, None), pictures())
    with pytest.raises(RunFolderError, match="another process is training in it"):
        RunFolder(Options(out=tmp_path / "run", resume=True), "JAX")
    del alive
    RunFolder(Options(out=tmp_path / "run", resume=True), "JAX")


def test_finished_epochs_without_a_checkpoint_are_not_thrown_away(tmp_path: Path) -> None:
    folder = RunFolder(Options(out=tmp_path), "JAX")
    folder.check_nothing_finished()
    folder.history.append(EpochRecord.of(1, Metrics(1, 1), Metrics(1, 1), 1, 1))
    with pytest.raises(RunFolderError, match="found no checkpoint, expected one after epoch 1"):
        folder.check_nothing_finished()


@pytest.mark.parametrize("name", ["recipe.json", "provenance.json"])
def test_file_that_is_no_text_is_named(tmp_path: Path, name: str) -> None:
    begin(tmp_path)
    (tmp_path / name).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RunFolderError, match=name):
        RunFolder(Options(out=tmp_path, resume=True), "JAX")


def test_other_threads_and_versions_are_reported_not_refused(tmp_path: Path) -> None:
    begin(tmp_path)
    stored = json.loads((tmp_path / "provenance.json").read_text())
    (tmp_path / "provenance.json").write_text(json.dumps({**stored, "threads": 8}))
    assert begin(tmp_path, digest=None, resume=True) == ["threads: 3 here, 8 before"]


def test_other_initial_weights_are_refused(tmp_path: Path) -> None:
    begin(tmp_path)
    with pytest.raises(RunFolderError, match="other initial weights"):
        begin(tmp_path, digest="b" * 64, resume=True)


def test_longer_training_is_the_same_run_and_a_shorter_one_is_not(tmp_path: Path) -> None:
    begin(tmp_path, recipe=Recipe(epochs=3))
    begin(tmp_path, recipe=Recipe(epochs=5), resume=True, digest=None)
    assert json.loads((tmp_path / "recipe.json").read_text())["epochs"] == 5
    with pytest.raises(RunFolderError, match="epochs: 3 here, 5 there"):
        begin(tmp_path, recipe=Recipe(epochs=3), resume=True, digest=None)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"framework": "JAX"}'])
def test_damaged_provenance_is_named(tmp_path: Path, content: str) -> None:
    begin(tmp_path)
    (tmp_path / "provenance.json").write_text(content)
    with pytest.raises(RunFolderError, match=r"provenance\.json: cannot be read"):
        RunFolder(Options(out=tmp_path, resume=True), "JAX")


def test_weights_say_framework_and_epoch_and_curves_are_drawn(tmp_path: Path) -> None:
    options = Options(out=tmp_path / "run")
    folder = RunFolder(options, "JAX")
    folder.begin(describe(ENVIRONMENT, pictures(), options, None), pictures())
    folder.keep_weights({"w": np.ones(2, np.float32)}, epoch=7)
    folder.draw_curves([EpochRecord.of(1, Metrics(1, 1), Metrics(1, 1), 1, 1)], None)
    assert np.array_equal(load_file(folder.path / "weights.safetensors")["w"], [1, 1])
    assert (folder.path / "curves.png").stat().st_size > 10_000
