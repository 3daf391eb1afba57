"""A folder prepared by tensorflow-datasets (TFDS), read without TensorFlow.

TFDS writes CIFAR-10 as PNG pictures in shuffled order, each with the `id` ("train_00042") of its
place in the archive. Sorting by id restores the archive's order. Only the array_record format can
be read without TensorFlow (https://www.tensorflow.org/datasets/data_source).
"""

import contextlib
import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiment.cifar10 import binary
from experiment.cifar10.libraries import needed
from experiment.cifar10.pictures import Arrays, DataError

INFO = "dataset_info.json"
FORMAT = "array_record"
_PREPARE = (
    "tfds.builder('cifar10', data_dir=DIR, file_format='array_record').download_and_prepare()"
)


class TfdsFolderError(DataError):
    """A prepared folder cannot be read: another format, another data set, or damaged."""


def find(folder: Path) -> Path | None:
    """The version folder meant by `folder`: itself, or the newest below it; None if there is none.

    `folder` may be the version folder, TFDS's `cifar10/`, or the data_dir that holds `cifar10/`.
    """
    if (folder / INFO).is_file():
        return folder
    for parent in (folder, folder / "cifar10"):
        found = [info.parent for info in parent.glob(f"*.*.*/{INFO}")]
        if found:
            return max(found, key=_version)
    return None


def read_folder(folder: Path) -> Arrays:
    """Reads both splits of the version folder `folder`.

    Raises:
        TfdsFolderError: it is not CIFAR-10 in array_record format, or it is damaged.
        MissingLibraryError: tensorflow-datasets or array_record cannot be imported.
        LabelError: a label is above 9.
    """
    _check_info(folder)
    for module in ("array_record.python.array_record_module", "PIL.Image"):
        _import(module)
    tfds = _import("tensorflow_datasets")
    try:
        with _quiet():
            builder = tfds.builder_from_directory(str(folder))
            train = _split(builder.as_data_source("train"), f"{folder} (split train)")
            test = _split(builder.as_data_source("test"), f"{folder} (split test)")
    except DataError:
        raise
    except Exception as error:  # TFDS, array_record and Pillow share no base class
        raise TfdsFolderError(
            f"{folder}: tensorflow-datasets cannot read it ({type(error).__name__}: {error}). "
            f"Prepare it again: {_PREPARE}"
        ) from error
    return Arrays(*train, *test)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps TFDS's advice on faster image libraries off the screen."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _import(module: str) -> Any:
    return needed(
        module,
        purpose="Reading a folder prepared by tensorflow-datasets",
        install="pip install tensorflow-datasets importlib_resources array_record pillow",
    )


def _check_info(folder: Path) -> None:
    """Judges `dataset_info.json` itself, so that the verdict needs no library."""
    try:
        info = json.loads((folder / INFO).read_text(encoding="utf-8"))
        name, form = info.get("name"), info.get("fileFormat")
    except (ValueError, AttributeError) as error:
        raise TfdsFolderError(
            f"{folder / INFO}: not the JSON object that TFDS writes ({error}). "
            f"Prepare it again: {_PREPARE}"
        ) from error
    if name != "cifar10":
        raise TfdsFolderError(
            f"{folder / INFO}: describes the data set {name!r}; expected 'cifar10'."
        )
    if form != FORMAT:
        raise TfdsFolderError(
            f"{folder / INFO}: the file format is {form!r}, which only TensorFlow reads; expected "
            f"{FORMAT!r}. Prepare it again: {_PREPARE}"
        )


def _split(source: Any, where: str) -> tuple[np.ndarray, np.ndarray]:
    if len(source) == 0:
        raise TfdsFolderError(f"{where}: holds no pictures. Prepare it again: {_PREPARE}")
    records: list[Mapping[str, Any]] = sorted(source, key=_place)
    labels = np.array([record["label"] for record in records], np.int64)
    binary.check_labels(labels, where)
    return np.stack([record["image"] for record in records]), labels.astype(np.uint8)


def _place(record: Mapping[str, Any]) -> int:
    identity = record["id"]
    text = identity.decode() if isinstance(identity, bytes) else str(identity)
    return int(text.rpartition("_")[2])


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in folder.name.split("."))
