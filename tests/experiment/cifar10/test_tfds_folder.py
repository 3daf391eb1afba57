"""Real folders, prepared by tensorflow-datasets from the small archive."""

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from experiment.cifar10 import (
    CLASSES,
    Arrays,
    MissingLibraryError,
    TfdsFolderError,
    load,
    tfds_folder,
)
from experiment.cifar10.pictures import fingerprint_of

PREPARE = Path(__file__).with_name("prepare_with_tfds.py")

prepared_by_tfds = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("tensorflow", "tensorflow_datasets")),
    reason="TensorFlow or tensorflow-datasets, which prepare the folder, are not installed",
)


@pytest.fixture(scope="module")
def data_dir(
    tmp_path_factory: pytest.TempPathFactory, records: dict[str, np.ndarray], write_tar: Callable
) -> Path:
    """A TFDS data_dir with the small archive in it."""
    place = tmp_path_factory.mktemp("tfds")
    members = {f"{name}.bin": batch.tobytes() for name, batch in records.items()}
    members["batches.meta.txt"] = "\n".join(CLASSES).encode()
    archive = write_tar(
        place / "cifar-10-binary.tar.gz",
        {f"cifar-10-batches-bin/{name}": content for name, content in members.items()},
    )
    command = [sys.executable, str(PREPARE), str(archive), str(place / "data"), "array_record"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return place / "data"


@pytest.fixture
def version_folder(data_dir: Path, tmp_path: Path) -> Path:
    """A copy, to be damaged."""
    [version] = (data_dir / "cifar10").iterdir()
    return Path(shutil.copytree(version, tmp_path / version.name))


def change_info(folder: Path, field: str, value: str) -> None:
    path = folder / "dataset_info.json"
    info = json.loads(path.read_text())
    assert field in info
    path.write_text(json.dumps({**info, field: value}))


@prepared_by_tfds
@pytest.mark.slow
class TestPreparedFolder:
    def test_it_gives_the_archives_pictures_in_the_archives_order(
        self, data_dir: Path, expected: Arrays
    ):
        data = load(str(data_dir))
        for name, array in expected.named().items():
            np.testing.assert_array_equal(getattr(data, name), array, err_msg=name)

    def test_every_form_of_the_archive_has_one_fingerprint(
        self,
        data_dir: Path,
        binary_folder: Path,
        binary_tar: Path,
        python_folder: Path,
        python_members: dict[str, bytes],
        blessed: Callable,
        expected: Arrays,
    ):
        blessed(python_members)
        forms = [data_dir, binary_folder, binary_tar, python_folder]
        assert {load(str(form)).fingerprint for form in forms} == {fingerprint_of(expected)}

    def test_the_version_folder_and_the_one_above_may_be_given(
        self, data_dir: Path, version_folder: Path
    ):
        of_all = load(str(data_dir)).fingerprint
        assert load(str(data_dir / "cifar10")).fingerprint == of_all
        assert load(str(version_folder)).fingerprint == of_all

    def test_it_is_read_without_tensorflow_and_without_a_word(self, data_dir: Path):
        program = (
            "import sys; from experiment.cifar10 import load; load(sys.argv[1])\n"
            "print('tensorflow' in sys.modules)"
        )
        command = [sys.executable, "-c", program, str(data_dir)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.stdout, done.stderr) == ("False\n", "")

    def test_a_damaged_shard_is_an_error(self, version_folder: Path):
        [shard] = version_folder.glob("cifar10-train.array_record*")
        shard.write_bytes(b"\0" * shard.stat().st_size)
        with pytest.raises(TfdsFolderError, match=r"tensorflow-datasets cannot read it .* again"):
            load(str(version_folder))

    def test_a_missing_shard_is_an_error(self, version_folder: Path):
        [shard] = version_folder.glob("cifar10-test.array_record*")
        shard.unlink()
        with pytest.raises(TfdsFolderError, match="tensorflow-datasets cannot read it"):
            load(str(version_folder))


@pytest.fixture
def described(tmp_path: Path) -> Path:
    """A folder with TFDS's description and no data, for what is judged by the description."""
    folder = tmp_path / "cifar10" / "3.0.2"
    folder.mkdir(parents=True)
    info = {"name": "cifar10", "fileFormat": "array_record", "version": "3.0.2"}
    (folder / "dataset_info.json").write_text(json.dumps(info))
    return folder


def test_a_folder_in_tensorflows_own_format_is_refused(described: Path):
    change_info(described, "fileFormat", "tfrecord")
    with pytest.raises(TfdsFolderError, match="'tfrecord', which only TensorFlow reads"):
        load(str(described))


def test_another_data_set_is_refused(described: Path):
    change_info(described, "name", "cifar100")
    with pytest.raises(TfdsFolderError, match="'cifar100'; expected 'cifar10'"):
        load(str(described))


@pytest.mark.parametrize("text", ["{", "[]", "\udcff"])
def test_an_unreadable_description_is_refused(described: Path, text: str):
    (described / "dataset_info.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(TfdsFolderError, match="not the JSON object that TFDS writes"):
        load(str(described))


@pytest.mark.parametrize(
    "module", ["tensorflow_datasets", "array_record.python.array_record_module"]
)
def test_without_the_libraries_the_error_says_what_to_install(
    described: Path, module: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingLibraryError, match="pip install tensorflow-datasets"):
        load(str(described))


def test_of_several_versions_the_newest_is_meant(described: Path):
    newest = described.with_name("3.0.10")
    shutil.copytree(described, newest)
    assert tfds_folder.find(described.parent.parent) == newest
