"""CIFAR-10 in memory: four arrays, where they came from, and what identifies them."""

import dataclasses
import hashlib
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from experiment.errors import UserError

CLASSES: tuple[str, ...] = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
"""Class names in the order of the labels 0 to 9 (`batches.meta.txt` of the official archive)."""


class DataError(UserError):
    """Base of everything that can be wrong with the data a user asked for."""


class LimitError(DataError):
    """`--train-limit` or `--test-limit` is below 1, or beyond the pictures there are."""


@dataclass(frozen=True, eq=False)
class Arrays:
    """Pictures and labels of both splits, in the order of the official archive.

    Pictures are uint8, NHWC, red-green-blue, 0 to 255; labels are uint8, 0 to 9.
    """

    train_images: UInt8[np.ndarray, "n 32 32 3"]
    train_labels: UInt8[np.ndarray, "n"]
    test_images: UInt8[np.ndarray, "m 32 32 3"]
    test_labels: UInt8[np.ndarray, "m"]

    def named(self) -> dict[str, np.ndarray]:
        """The four arrays by field name, in the order in which they are declared and hashed."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(Arrays)}


@dataclass(frozen=True, eq=False)
class Cifar10(Arrays):
    """The loader's result, the same whatever the source."""

    spec: str
    """The value of `--data` that gives these pictures again, whatever environment and network."""
    source: str
    """For people and for the provenance: the form the data came in, and from where."""
    fingerprint: str
    """sha256 of the *full* arrays (see `fingerprint_of`), in hex; `limited` leaves it as it is."""
    official: bool
    """Whether the full arrays hold exactly the bytes of the official archive."""
    synthetic: bool
    """Whether this is the built-in stand-in rather than CIFAR-10."""
    notice: str | None
    """What must be shown on screen, in the run folder and on plots; None for real pictures."""

    def limited(self, train: int | None, test: int | None) -> "Cifar10":
        """The first `train` training and `test` test pictures; None leaves a split whole.

        `fingerprint` and `official` still speak of the full arrays: they say which data this is,
        and the limits themselves stand in the recipe.

        Raises:
            LimitError: a limit is below 1 or beyond the pictures there are.
        """
        _check_limit("--train-limit", train, len(self.train_labels), "training")
        _check_limit("--test-limit", test, len(self.test_labels), "test")
        return dataclasses.replace(
            self,
            train_images=self.train_images[:train],
            train_labels=self.train_labels[:train],
            test_images=self.test_images[:test],
            test_labels=self.test_labels[:test],
        )


def _check_limit(option: str, limit: int | None, available: int, split: str) -> None:
    if limit is not None and not 1 <= limit <= available:
        raise LimitError(
            f"{option} {limit}: the data hold {available:,} {split} pictures. "
            f"Give a number from 1 to {available}, or leave {option} out to use them all."
        )


def fingerprint_of(arrays: Arrays) -> str:
    """sha256, in hex, over name, dtype, shape and bytes of the four arrays in declared order."""
    digest = hashlib.sha256()
    for name, array in arrays.named().items():
        shape = "x".join(str(length) for length in array.shape)
        digest.update(f"{name} {array.dtype.name} {shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
