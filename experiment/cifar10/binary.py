"""The official binary layout: six files of records, one label byte and 3,072 picture bytes each.

A record's picture is 1,024 red, 1,024 green and 1,024 blue bytes, each row by row
(https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version").
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from experiment.cifar10.pictures import Arrays, DataError

FOLDER = "cifar-10-batches-bin"
TRAIN_FILES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST_FILE = "test_batch.bin"
FILES = (*TRAIN_FILES, TEST_FILE)

RECORD_BYTES = 1 + 3 * 32 * 32
RECORDS_PER_FILE = 10_000
MAX_FILE_BYTES = RECORDS_PER_FILE * RECORD_BYTES

OFFICIAL_SHA1 = {
    "data_batch_1.bin": "aadd24acce27caa71bf4b10992e9e7b2d74c2540",
    "data_batch_2.bin": "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795",
    "data_batch_3.bin": "1dd00a74ab1d17a6e7d73e185b69dbf31242f295",
    "data_batch_4.bin": "aab85764eb3584312d3c7f65fd2fd016e36a258e",
    "data_batch_5.bin": "26e2849e66a845b7f1e4614ae70f4889ae604628",
    "test_batch.bin": "67eb016db431130d61cd03c7ad570b013799c88c",
}
"""sha1 of the files inside the official archive, `cifar-10-binary.tar.gz`."""


class MissingFileError(DataError):
    """A layout was recognised, but some of its files are not there."""


class BatchSizeError(DataError):
    """A .bin file is empty, truncated or oversized."""


class LabelError(DataError):
    """A label is above 9, so these are not CIFAR-10's ten classes."""


def read_folder(folder: Path) -> Arrays:
    """Reads the six files in `folder`.

    Raises:
        MissingFileError, BatchSizeError, LabelError: see there.
    """
    check_complete((name for name in FILES if (folder / name).is_file()), FILES, str(folder))
    for name in FILES:
        # Judged by the size on disk, so that a wrong file of 100 GB is refused before it is read.
        check_size((folder / name).stat().st_size, f"{folder / name}")
    return decode({name: (folder / name).read_bytes() for name in FILES}, str(folder))


def decode(files: Mapping[str, bytes], where: str) -> Arrays:
    """The four arrays from the contents of the six files; `where` is named in errors.

    Raises:
        MissingFileError, BatchSizeError, LabelError: see there.
    """
    check_complete(files, FILES, where)
    train = [_decode_file(files[name], f"{where}/{name}") for name in TRAIN_FILES]
    test_images, test_labels = _decode_file(files[TEST_FILE], f"{where}/{TEST_FILE}")
    return Arrays(
        train_images=np.concatenate([images for images, _ in train]),
        train_labels=np.concatenate([labels for _, labels in train]),
        test_images=test_images,
        test_labels=test_labels,
    )


def check_complete(found: Iterable[str], expected: tuple[str, ...], where: str) -> None:
    """Raises MissingFileError, naming what is missing, unless all of `expected` was found."""
    present = set(found)
    missing = [name for name in expected if name not in present]
    if missing:
        raise MissingFileError(
            f"{where}: {', '.join(missing)} missing. The layout has {len(expected)} files "
            f"({expected[0]} ... {expected[-1]}); unpack or download the archive again."
        )


def check_size(size: int, where: str) -> None:
    """Raises BatchSizeError unless `size` is a whole number of records, from 1 to 10,000."""
    records, rest = divmod(size, RECORD_BYTES)
    if size == 0 or rest or size > MAX_FILE_BYTES:
        fault = "empty" if size == 0 else "oversized" if size > MAX_FILE_BYTES else "truncated"
        raise BatchSizeError(
            f"{where}: {fault}: {size:,} bytes are {records:,} records of {RECORD_BYTES:,} bytes "
            f"and {rest:,} bytes over. Expected a multiple of {RECORD_BYTES:,}, at most "
            f"{MAX_FILE_BYTES:,}; unpack or download the archive again."
        )


def check_labels(labels: np.ndarray, where: str) -> None:
    """Raises LabelError, naming the first record at fault, unless all labels are 0 to 9."""
    wrong = np.flatnonzero((labels < 0) | (labels > 9))
    if len(wrong):
        raise LabelError(
            f"{where}: record {wrong[0]} (counted from 0) has label {labels[wrong[0]]}; CIFAR-10's "
            f"labels are 0 to 9 ({len(wrong):,} of {len(labels):,} records are at fault). Either "
            "the file is damaged or it is another data set; CIFAR-100 is not read."
        )


def encode(images: UInt8[np.ndarray, "n 32 32 3"], labels: UInt8[np.ndarray, "n"]) -> bytes:
    """The bytes of one file that holds these pictures: what `decode` reads."""
    records = np.empty((len(labels), RECORD_BYTES), np.uint8)
    records[:, 0] = labels
    records[:, 1:] = images.transpose(0, 3, 1, 2).reshape(len(labels), RECORD_BYTES - 1)
    return records.tobytes()


def is_official(arrays: Arrays) -> bool:
    """Whether the arrays, written as the six files, have the official archive's sha1 sums."""
    counts = len(arrays.train_labels), len(arrays.test_labels)
    if counts != (len(TRAIN_FILES) * RECORDS_PER_FILE, RECORDS_PER_FILE):
        return False
    for index, name in enumerate(TRAIN_FILES):
        rows = slice(index * RECORDS_PER_FILE, (index + 1) * RECORDS_PER_FILE)
        if not _matches(name, arrays.train_images[rows], arrays.train_labels[rows]):
            return False
    return _matches(TEST_FILE, arrays.test_images, arrays.test_labels)


def _matches(name: str, images: np.ndarray, labels: np.ndarray) -> bool:
    sha1 = hashlib.sha1(encode(images, labels), usedforsecurity=False)
    return sha1.hexdigest() == OFFICIAL_SHA1[name]


def _decode_file(content: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
    check_size(len(content), where)
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD_BYTES)
    labels = records[:, 0].copy()
    check_labels(labels, where)
    planes = records[:, 1:].reshape(-1, 3, 32, 32)  # (n, C, H, W)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels
