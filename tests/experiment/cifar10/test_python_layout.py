import hashlib
import pickle
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from experiment.cifar10 import (
    Arrays,
    LabelError,
    MissingFileError,
    MissingLibraryError,
    UnsafeArchiveError,
    UnverifiedPickleError,
    load,
)
from experiment.cifar10.pictures import fingerprint_of

Members = dict[str, bytes]


@pytest.fixture
def python_tar(tmp_path: Path, python_members: Members, write_tar: Callable) -> Path:
    members = {f"cifar-10-batches-py/{name}": data for name, data in python_members.items()}
    return write_tar(tmp_path / "small-python.tar.gz", members)


def test_a_verified_folder_is_read_through_torchvision(
    python_folder: Path, python_members: Members, blessed: Callable, expected: Arrays
):
    blessed(python_members)
    data = load(str(python_folder))
    assert data.fingerprint == fingerprint_of(expected)
    assert data.source == f"python folder, {python_folder}"


def test_a_verified_folder_of_another_name_is_read(
    tmp_path: Path,
    python_members: Members,
    write_folder: Callable,
    blessed: Callable,
    expected: Arrays,
):
    blessed(python_members)
    folder = write_folder(tmp_path / "pickles", python_members)
    assert load(str(folder)).fingerprint == fingerprint_of(expected)


def test_a_verified_archive_is_read(
    python_tar: Path, python_members: Members, blessed: Callable, expected: Arrays
):
    blessed(python_members)
    data = load(str(python_tar))
    assert data.fingerprint == fingerprint_of(expected)
    assert data.source == f"python archive, {python_tar}"


class Trap:
    """Unpickling this makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("name", ["data_batch_3", "test_batch", "batches.meta"])
@pytest.mark.parametrize("form", ["folder", "archive"])
def test_nothing_unverified_is_unpickled(
    tmp_path: Path,
    python_members: Members,
    write_folder: Callable,
    write_tar: Callable,
    blessed: Callable,
    name: str,
    form: str,
):
    blessed(python_members)
    sprung = tmp_path / "sprung"
    python_members[name] = pickle.dumps(Trap(sprung))
    if form == "folder":
        path = write_folder(tmp_path / "cifar-10-batches-py", python_members)
    else:
        path = write_tar(tmp_path / "a.tar.gz", python_members)
    found = hashlib.md5(python_members[name]).hexdigest()
    with pytest.raises(UnverifiedPickleError, match=rf"{name} \(md5 {found}, expected") as raised:
        load(str(path))
    assert str(raised.value).startswith(f"{path}: not the official python layout")
    assert not sprung.exists()


def test_a_missing_batch_is_named(python_folder: Path):
    (python_folder / "data_batch_2").unlink()
    with pytest.raises(MissingFileError, match="data_batch_2 missing"):
        load(str(python_folder))


def test_a_label_above_9_is_named(
    tmp_path: Path, python_members: Members, write_folder: Callable, blessed: Callable
):
    batch = pickle.loads(python_members["data_batch_2"])
    batch["labels"][1] = 10
    python_members["data_batch_2"] = pickle.dumps(batch)
    blessed(python_members)
    folder = write_folder(tmp_path / "cifar-10-batches-py", python_members)
    with pytest.raises(LabelError, match=r"train batches\): record 4 .* has label 10"):
        load(str(folder))


def test_an_oversized_batch_in_an_archive_is_refused(
    tmp_path: Path, python_members: Members, write_tar: Callable
):
    python_members["data_batch_1"] = bytes(33 * 1024 * 1024)
    with pytest.raises(UnsafeArchiveError, match="data_batch_1 is oversized"):
        load(str(write_tar(tmp_path / "a.tar.gz", python_members)))


def test_without_torchvision_the_error_says_what_to_install(
    python_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "torchvision.datasets", None)
    with pytest.raises(MissingLibraryError, match="pip install torchvision"):
        load(str(python_folder))
