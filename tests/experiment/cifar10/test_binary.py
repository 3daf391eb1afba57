import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiment.cifar10 import (
    Arrays,
    BatchSizeError,
    LabelError,
    MissingFileError,
    binary,
    load,
)


def test_records_become_pictures_in_the_archives_order(binary_folder: Path, expected: Arrays):
    found = binary.read_folder(binary_folder)
    for name, array in expected.named().items():
        np.testing.assert_array_equal(getattr(found, name), array, err_msg=name)


def test_encode_gives_the_bytes_of_the_file(expected: Arrays, records: dict[str, np.ndarray]):
    content = binary.encode(expected.test_images, expected.test_labels)
    assert content == records["test_batch"].tobytes()


@pytest.mark.parametrize("change", [-1, 1, -3072])
def test_a_file_that_is_no_whole_number_of_records_is_refused(binary_folder: Path, change: int):
    path = binary_folder / "data_batch_4.bin"
    content = path.read_bytes()
    path.write_bytes(content[:change] if change < 0 else content + b"\0" * change)
    with pytest.raises(BatchSizeError, match=r"data_batch_4\.bin: truncated"):
        load(str(binary_folder))


def test_an_empty_file_is_refused(binary_folder: Path):
    (binary_folder / "test_batch.bin").write_bytes(b"")
    with pytest.raises(BatchSizeError, match=r"test_batch\.bin: empty"):
        load(str(binary_folder))


def test_a_file_of_more_than_10_000_records_is_refused_before_it_is_read(binary_folder: Path):
    with (binary_folder / "data_batch_2.bin").open("wb") as file:
        file.truncate(1 << 40)  # a sparse terabyte: reading it would not end well
    with pytest.raises(BatchSizeError, match=r"data_batch_2\.bin: oversized"):
        load(str(binary_folder))


def test_missing_files_are_named(binary_folder: Path):
    (binary_folder / "data_batch_3.bin").unlink()
    (binary_folder / "test_batch.bin").unlink()
    with pytest.raises(MissingFileError, match=r"data_batch_3\.bin, test_batch\.bin missing"):
        load(str(binary_folder))


def test_a_label_above_9_is_named_with_file_and_record(binary_folder: Path):
    path = binary_folder / "data_batch_5.bin"
    content = bytearray(path.read_bytes())
    content[2 * 3073] = 77
    path.write_bytes(content)
    with pytest.raises(LabelError, match=r"data_batch_5\.bin: record 2 .* has label 77"):
        load(str(binary_folder))


def test_the_folder_above_may_be_given(binary_folder: Path, tmp_path: Path):
    assert load(str(tmp_path)).fingerprint == load(str(binary_folder)).fingerprint


def test_a_folder_of_another_name_may_be_given(binary_folder: Path, tmp_path: Path):
    renamed = Path(shutil.move(binary_folder, tmp_path / "pictures"))
    assert len(load(str(renamed)).train_labels) == 15


def test_small_pictures_are_not_official(binary_folder: Path):
    data = load(str(binary_folder))
    assert not data.official
    assert data.source == f"binary folder, {binary_folder}"


def test_full_size_pictures_with_other_bytes_are_not_official(stand_in: Arrays):
    assert not binary.is_official(stand_in)


def test_pictures_whose_six_files_have_the_published_sums_are_official(
    stand_in: Arrays, monkeypatch: pytest.MonkeyPatch, sha1_of_files: Callable[..., dict]
):
    """The published bytes are not at hand, so the sums of others stand in for them."""
    monkeypatch.setattr(binary, "OFFICIAL_SHA1", sha1_of_files(stand_in))
    assert binary.is_official(stand_in)
    labels = stand_in.test_labels.copy()
    labels[-1] ^= 1
    assert not binary.is_official(replace(stand_in, test_labels=labels))


@pytest.fixture
def sha1_of_files() -> Callable[[Arrays], dict[str, str]]:
    def sums(arrays: Arrays) -> dict[str, str]:
        planes = arrays.train_images.transpose(0, 3, 1, 2).reshape(50_000, 3072)
        train = np.concatenate([arrays.train_labels[:, None], planes], axis=1)
        planes = arrays.test_images.transpose(0, 3, 1, 2).reshape(10_000, 3072)
        test = np.concatenate([arrays.test_labels[:, None], planes], axis=1)
        files = {f"data_batch_{n + 1}.bin": train[n * 10_000 :][:10_000] for n in range(5)}
        files["test_batch.bin"] = test
        return {name: hashlib.sha1(rows.tobytes()).hexdigest() for name, rows in files.items()}

    return sums
