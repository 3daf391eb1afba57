"""Captures come back as they were written, whole or not at all, and are read as they are asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from parity.capture import start
from parity.capture.capture_file import Capture, read_capture, write_capture

ABOUT = dict.fromkeys(("side", "pair", "lane", "seed", "nonce", "start"), "")

ARRAYS = {
    "transposed": np.arange(6.0).reshape(2, 3).T,
    "scalar": np.float32(3),
    "no axes": np.array(2.5),
    "empty": np.zeros((0, 3)),
    "every other": np.arange(8)[::2],
    "mask": np.array([True, False]),
}


class CountedArrays(Mapping[str, np.ndarray]):
    """Arrays that remember which of them were read."""

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self._arrays = arrays
        self.read: list[str] = []

    def __getitem__(self, name: str) -> np.ndarray:
        self.read.append(name)
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)


def test_arrays_of_any_layout_come_back(tmp_path: Path) -> None:
    write_capture(tmp_path / "file", ABOUT, ARRAYS)
    found = read_capture(tmp_path / "file").arrays
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype, name
        assert found[name].shape == np.shape(array), name
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.skipif(sys.platform != "linux", reason="fills up by a limit on the size of files")
def test_a_full_disk_leaves_the_old_capture_and_nothing_else(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "file"
    write_capture(path, ABOUT, ARRAYS)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(OSError, match="cannot be written"):
            write_capture(path, ABOUT, {"large": np.zeros(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_asked_for_is_read_and_nothing_else() -> None:
    """Captures of large models are gigabytes: reading all for each batch took most of the time."""
    names = ("input/0", "target/0", "batch/1/input/0", "batch/1/target/0", "weight/a", "weights/b")
    arrays = CountedArrays({name: np.ones(2) for name in names})
    capture = Capture({}, arrays)
    assert list(capture.under("weight")) == ["a"]
    start.batch_of_capture(capture, "1")
    assert arrays.read == ["weight/a", "batch/1/input/0", "batch/1/target/0"]
