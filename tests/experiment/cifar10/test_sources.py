import os
import stat
from pathlib import Path

import pytest

from experiment.cifar10 import DataPathError, UnknownLayoutError, load


def test_a_missing_path_is_an_error_that_lists_the_words(tmp_path: Path):
    with pytest.raises(DataPathError, match=r"no such file or folder.*auto, cifar10, synthetic"):
        load(str(tmp_path / "nothing"))


def test_an_empty_folder_is_an_error(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataPathError, match=r"empty: the folder is empty\. Expected CIFAR-10"):
        load(str(tmp_path / "empty"))


def test_an_empty_file_is_an_error(tmp_path: Path):
    (tmp_path / "empty.tar.gz").touch()
    with pytest.raises(DataPathError, match=r"empty\.tar\.gz: the file is empty"):
        load(str(tmp_path / "empty.tar.gz"))


def test_an_empty_name_is_an_error():
    with pytest.raises(DataPathError):
        load("")


def test_an_unknown_layout_says_what_was_found(tmp_path: Path):
    folder = tmp_path / "photos"
    (folder / "holiday").mkdir(parents=True)
    for number in range(9):
        (folder / f"{number}.jpg").touch()
    words = r"found 0\.jpg, .*7\.jpg and 2 more\. Expected CIFAR-10 as a folder"
    with pytest.raises(UnknownLayoutError, match=words):
        load(str(folder))


def test_a_tar_of_something_else_is_an_unknown_layout(tmp_path: Path, write_tar):
    path = write_tar(tmp_path / "a.tar", {"train.bin": b"CIFAR-100"})
    with pytest.raises(UnknownLayoutError, match=r"a\.tar: a tar archive without any batch"):
        load(str(path))


def test_something_that_is_neither_file_nor_folder_is_an_error(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for ever
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    with pytest.raises(DataPathError, match="pipe"):
        load(str(tmp_path / "pipe"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_an_error(binary_folder: Path):
    (binary_folder / "test_batch.bin").chmod(0)
    with pytest.raises(DataPathError, match=r"test_batch\.bin.*Check that it is"):
        load(str(binary_folder))


def test_home_is_understood(binary_folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(binary_folder.parent))
    assert len(load(f"~/{binary_folder.name}").test_labels) == 3


def test_an_unknown_home_is_an_error():
    with pytest.raises(DataPathError, match="~nobody-of-that-name/cifar: cannot be read"):
        load("~nobody-of-that-name/cifar")


def test_a_relative_path_is_understood(binary_folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(binary_folder.parent)
    assert load(binary_folder.name).source == f"binary folder, {binary_folder}"
