"""Imports the libraries that only some sources need, at the moment they are needed."""

import importlib
from types import ModuleType

from experiment.cifar10.pictures import DataError


class MissingLibraryError(DataError):
    """A source needs a library that is not installed, or that does not start here."""


def needed(module: str, *, purpose: str, install: str) -> ModuleType:
    """Imports `module`.

    Args:
        module: its full name.
        purpose: what needs it, for the error.
        install: the command that would install it, for the error.

    Raises:
        MissingLibraryError: the import failed, for whatever reason: a torchvision built for
            another PyTorch fails with a RuntimeError rather than an ImportError.
    """
    try:
        return importlib.import_module(module)
    except Exception as error:
        raise MissingLibraryError(
            f"{purpose} needs {module.partition('.')[0]}, which cannot be imported here "
            f"({type(error).__name__}: {error}). Install it ({install}), or give --data CIFAR-10 "
            "in the binary layout, which needs no library."
        ) from error
