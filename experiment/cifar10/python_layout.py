"""The official python layout: pickled batches, read through torchvision.

A pickle runs whatever its author wrote into it, so nothing is unpickled whose checksum is not one
that torchvision knows: `torchvision.datasets.CIFAR10` verifies every batch before it loads it.
"""

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiment.cifar10 import binary
from experiment.cifar10.libraries import needed
from experiment.cifar10.pictures import Arrays, DataError

FOLDER = "cifar-10-batches-py"
BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
META = "batches.meta"
FILES = (*BATCHES, META)
MAX_FILE_BYTES = 32 * 1024 * 1024
"""Bound on one file; the official batches have about 31,035,600 bytes."""


class UnverifiedPickleError(DataError):
    """A pickled batch does not have the checksum torchvision expects, so it is not opened."""


def read_folder(folder: Path) -> Arrays:
    """Verifies and reads the batches in `folder` through torchvision.

    Raises:
        MissingFileError: a batch is not there.
        UnverifiedPickleError: a file's md5 is not the official one.
        LabelError: a label is above 9.
        MissingLibraryError: torchvision cannot be imported.
    """
    binary.check_complete((name for name in FILES if (folder / name).is_file()), FILES, str(folder))
    published = _torchvision_class()
    _verify(folder, published)
    # torchvision looks for `base_folder` below a root; this folder may bear another name.
    here = type("Cifar10Here", (published,), {"base_folder": folder.name})
    try:
        train = here(folder.parent, train=True, download=False)
        test = here(folder.parent, train=False, download=False)
    except RuntimeError as error:
        raise UnverifiedPickleError(f"{folder}: torchvision refuses it: {error}") from error
    return _arrays(train, test, folder)


def decode(files: Mapping[str, bytes], where: str) -> Arrays:
    """The same from the files' contents, for an archive; `where` is named in errors."""
    binary.check_complete(files, FILES, where)
    with tempfile.TemporaryDirectory(prefix="cifar10-") as scratch:
        folder = Path(scratch) / FOLDER
        folder.mkdir()
        for name in FILES:
            (folder / name).write_bytes(files[name])
        try:
            return read_folder(folder)
        except DataError as error:
            # The user knows the archive, not the scratch folder.
            raise type(error)(str(error).replace(str(folder), where)) from error


def _torchvision_class() -> Any:
    module = needed(
        "torchvision.datasets",
        purpose="Reading CIFAR-10's python layout",
        install="pip install torchvision",
    )
    return module.CIFAR10


def _verify(folder: Path, published: Any) -> None:
    """Says which file is at fault, which torchvision's own check does not."""
    expected = dict([*published.train_list, *published.test_list])
    expected[published.meta["filename"]] = published.meta["md5"]
    wrong = []
    for name, md5 in expected.items():
        with (folder / name).open("rb") as file:
            found = hashlib.file_digest(file, _md5).hexdigest()
        if found != md5:
            wrong.append(f"{name} (md5 {found}, expected {md5})")
    if wrong:
        raise UnverifiedPickleError(
            f"{folder}: not the official python layout: {'; '.join(wrong)}. These files are "
            "pickles, which can run code, so they are not opened. Download "
            f"{published.filename} again, or give the pictures in the binary layout."
        )


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)


def _arrays(train: Any, test: Any, folder: Path) -> Arrays:
    labels = {}
    for split, dataset in (("train", train), ("test", test)):
        values = np.asarray(dataset.targets)
        binary.check_labels(values, f"{folder} ({split} batches)")
        labels[split] = values.astype(np.uint8)
    return Arrays(
        train_images=np.ascontiguousarray(train.data, dtype=np.uint8),
        train_labels=labels["train"],
        test_images=np.ascontiguousarray(test.data, dtype=np.uint8),
        test_labels=labels["test"],
    )
