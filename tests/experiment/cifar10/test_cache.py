import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from experiment.cifar10 import Arrays, CacheRootError, cache_root, load, synthetic
from experiment.cifar10.pictures import fingerprint_of


def entries(cache: Path) -> list[Path]:
    return sorted((cache / "decoded").iterdir())


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    assert cache_root() == tmp_path / "cache"
    monkeypatch.delenv("CIFAR10_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root() == tmp_path / "xdg" / "cifar10-parity"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_root() == tmp_path / "home" / ".cache" / "cifar10-parity"


def test_without_a_home_folder_the_error_says_what_to_set(monkeypatch: pytest.MonkeyPatch):
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("CIFAR10_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(CacheRootError, match="Set CIFAR10_CACHE to a folder"):
        load("synthetic")


def test_arrays_are_memory_mapped_from_the_first_start_on(binary_folder: Path):
    for _ in range(2):
        data = load(str(binary_folder))
        assert isinstance(data.train_images, np.memmap)
        assert not data.train_images.flags.writeable


def test_a_second_start_reads_the_cache_and_not_the_source(
    binary_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    first = load(str(binary_folder))
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read"))
    second = load(str(binary_folder))
    for name, array in first.named().items():
        np.testing.assert_array_equal(getattr(second, name), array)
    assert (second.source, second.fingerprint) == (first.source, first.fingerprint)


def test_a_second_start_with_60_000_pictures_takes_less_than_0_3_seconds(
    stand_in: Arrays, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(synthetic, "generate", lambda: stand_in)  # made once for all tests
    load("synthetic")
    started = time.perf_counter()
    load("synthetic")
    assert time.perf_counter() - started < 0.3


def test_a_changed_source_is_decoded_again_and_the_old_entry_removed(
    binary_folder: Path, own_cache: Path
):
    before = load(str(binary_folder)).fingerprint
    path = binary_folder / "test_batch.bin"
    content = bytearray(path.read_bytes())
    content[1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(0, 0))  # however coarse the file system's clock is
    assert load(str(binary_folder)).fingerprint != before
    assert len(entries(own_cache)) == 1


def test_sources_at_different_places_have_entries_of_their_own(
    binary_folder: Path, binary_tar: Path, own_cache: Path
):
    load(str(binary_folder))
    load(str(binary_tar))
    assert len(entries(own_cache)) == 2


def truncate_array(entry: Path) -> None:
    os.truncate(entry / "train_images.npy", 1000)


def replace_array(entry: Path) -> None:
    size = (entry / "test_labels.npy").stat().st_size
    (entry / "test_labels.npy").write_bytes(bytes(size))


def change_shape(entry: Path) -> None:
    path = entry / "train_labels.npy"
    path.write_bytes(path.read_bytes().replace(b"(15,)", b"(14,)"))


def remove_array(entry: Path) -> None:
    (entry / "test_images.npy").unlink()


def remove_meta(entry: Path) -> None:
    (entry / "meta.json").unlink()


def cut_meta(entry: Path) -> None:
    os.truncate(entry / "meta.json", 40)


def empty_meta(entry: Path) -> None:
    (entry / "meta.json").write_text("[]")


@pytest.mark.parametrize(
    "damage",
    [truncate_array, replace_array, change_shape, remove_array, remove_meta, cut_meta, empty_meta],
)
def test_a_damaged_entry_is_built_again_saying_so(
    binary_folder: Path, own_cache: Path, messages: list[str], damage: Callable[[Path], None]
):
    right = load(str(binary_folder)).fingerprint
    damage(entries(own_cache)[0])
    data = load(str(binary_folder), report=messages.append)
    assert fingerprint_of(data) == right
    assert len(messages) == 1
    assert "is damaged" in messages[0]
    assert "it is built again" in messages[0]
    load(str(binary_folder), report=messages.append)
    assert len(messages) == 1


def test_a_cache_that_cannot_be_made_costs_time_only(
    binary_folder: Path, own_cache: Path, messages: list[str], expected: Arrays
):
    own_cache.write_text("a file where the folder should be")
    data = load(str(binary_folder), report=messages.append)
    np.testing.assert_array_equal(data.train_images, expected.train_images)
    assert len(messages) == 1
    assert messages[0].startswith("cache not written: ")
    assert "\n" not in messages[0]


def test_a_full_disk_costs_time_only_and_leaves_nothing_behind(
    binary_folder: Path, own_cache: Path, messages: list[str], expected: Arrays
):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))  # the kernel refuses longer files
    try:
        data = load(str(binary_folder), report=messages.append)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    np.testing.assert_array_equal(data.test_images, expected.test_images)
    assert messages[0].startswith("cache not written: ")
    assert entries(own_cache) == []


def test_processes_that_write_one_entry_at_once_do_not_disturb_each_other(
    binary_folder: Path, own_cache: Path
):
    program = (
        "import sys; from experiment.cifar10 import load\nprint(load(sys.argv[1]).fingerprint)"
    )
    command = [sys.executable, "-c", program, str(binary_folder)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    results = {process.communicate() for process in running}
    assert results == {(load(str(binary_folder)).fingerprint + "\n", "")}
    assert len(entries(own_cache)) == 1


def test_half_written_entries_of_killed_processes_are_removed_in_time(
    binary_folder: Path, own_cache: Path
):
    abandoned = own_cache / "decoded" / ".writing-old"
    recent = own_cache / "decoded" / ".writing-new"
    for folder in (abandoned, recent):
        folder.mkdir(parents=True)
    os.utime(abandoned, (0, 0))
    load(str(binary_folder))
    assert not abandoned.exists()
    assert recent.exists()


def test_arrays_stay_readable_when_the_entry_is_removed(binary_folder: Path, own_cache: Path):
    data = load(str(binary_folder))
    shutil.rmtree(own_cache)
    assert fingerprint_of(data) == data.fingerprint
