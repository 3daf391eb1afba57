"""CIFAR-10 from wherever it is: `load(spec)` gives four uint8 arrays, the same whatever the source.

    from experiment.cifar10 import load

    data = load("auto").limited(train=1000, test=200)
    data.train_images.shape  # (1000, 32, 32, 3)

Importing this imports numpy and jaxtyping only; a source that needs more imports it when asked for.
"""

from experiment.cifar10.archive import CorruptArchiveError, UnsafeArchiveError
from experiment.cifar10.binary import BatchSizeError, LabelError, MissingFileError
from experiment.cifar10.cache import CacheRootError, cache_root
from experiment.cifar10.download import ChecksumError, UnavailableError
from experiment.cifar10.libraries import MissingLibraryError
from experiment.cifar10.loading import load
from experiment.cifar10.official import MirrorError
from experiment.cifar10.pictures import CLASSES, Arrays, Cifar10, DataError, LimitError
from experiment.cifar10.python_layout import UnverifiedPickleError
from experiment.cifar10.sources import DataPathError, UnknownLayoutError
from experiment.cifar10.tfds_folder import TfdsFolderError

__all__ = [
    "CLASSES",
    "Arrays",
    "BatchSizeError",
    "CacheRootError",
    "ChecksumError",
    "Cifar10",
    "CorruptArchiveError",
    "DataError",
    "DataPathError",
    "LabelError",
    "LimitError",
    "MirrorError",
    "MissingFileError",
    "MissingLibraryError",
    "TfdsFolderError",
    "UnavailableError",
    "UnknownLayoutError",
    "UnsafeArchiveError",
    "UnverifiedPickleError",
    "cache_root",
    "load",
]
