"""Decoded arrays on disk, memory-mapped, so that a second start costs no decoding.

An entry is a folder of four .npy files and a `meta.json`, named after what it was decoded from.
It is written beside its place and renamed, so whoever finds an entry finds a whole one; two
processes that write the same entry do the work twice and disturb nobody. Each start checks sizes
and headers; the bytes themselves are trusted, as hashing them would take longer than a start may.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from experiment.cifar10.pictures import Arrays, DataError

FORMAT = 1
"""Raise it when what an entry holds changes its meaning: older entries are then rebuilt."""

_ABANDONED_AFTER_SECONDS = 24 * 3600
_SCRATCH_PREFIX = ".writing-"


@dataclass(frozen=True)
class Key:
    """What an entry was decoded from."""

    kind: str
    """The source's kind, a short word."""
    place: str
    """The resolved path, or another name that tells sources of one kind apart."""
    stamp: str
    """Changes whenever the source's contents may have changed."""

    def folder_prefix(self) -> str:
        return f"{self.kind}-{_short_hash(self.place)}-"

    def folder_name(self) -> str:
        return self.folder_prefix() + _short_hash(self.stamp)


@dataclass(frozen=True)
class Facts:
    """What is worth computing only once about decoded arrays."""

    form: str
    """The form the data came in, for people: "binary folder"."""
    fingerprint: str
    official: bool


@dataclass(frozen=True, eq=False)
class Entry:
    """Decoded arrays and what is known about them."""

    arrays: Arrays
    facts: Facts


class CacheRootError(DataError):
    """Nobody says where the cache is to be: this user has no home folder."""


class _DamagedEntry(Exception):  # noqa: N818 - never reaches a user: the entry is rebuilt
    pass


def cache_root() -> Path:
    """Where this project keeps what can be made again.

    `$CIFAR10_CACHE`, else `$XDG_CACHE_HOME/cifar10-parity`, else `~/.cache/cifar10-parity`.

    Raises:
        CacheRootError: none of them is known.
    """
    if chosen := os.environ.get("CIFAR10_CACHE"):
        return Path(chosen).expanduser().absolute()
    # The XDG base directory specification: a relative XDG_CACHE_HOME is to be ignored.
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        return (base if base.is_absolute() else Path.home() / ".cache") / "cifar10-parity"
    except RuntimeError as error:
        raise CacheRootError(
            f"No folder for the cache: {error} Set CIFAR10_CACHE to a folder for it."
        ) from error


def find(key: Key, report: Callable[[str], None]) -> Entry | None:
    """The entry of `key`, memory-mapped; None if there is none, or (reported) a damaged one."""
    folder = _entries() / key.folder_name()
    try:
        return _open(folder) if folder.is_dir() else None
    except (_DamagedEntry, OSError, ValueError) as error:
        report(f"cache entry {folder} is damaged ({error}); it is built again")
    shutil.rmtree(folder, ignore_errors=True)
    return None


def store(key: Key, entry: Entry, report: Callable[[str], None]) -> Entry:
    """Writes the entry and returns it memory-mapped.

    A cache that cannot be written is reported and costs time at the next start, no more: the
    entry is then returned as it came.
    """
    root = _entries()
    try:
        with _scratch(root) as scratch:
            _write(scratch, key, entry)
            _put_in_place(scratch, root / key.folder_name())
        _remove_stale(root, key)
        return _open(root / key.folder_name())
    except (OSError, ValueError, _DamagedEntry) as error:
        report(f"cache not written: {error}; training goes on with the arrays in memory")
        return entry


def _entries() -> Path:
    return cache_root() / "decoded"


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _open(folder: Path) -> Entry:
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    try:
        if meta["format"] != FORMAT:
            raise _DamagedEntry(f"format {meta['format']}, not {FORMAT}")
        facts = Facts(**meta["facts"])
        arrays = {name: _map(folder, name, expected) for name, expected in meta["arrays"].items()}
        return Entry(Arrays(**arrays), facts)
    except (KeyError, TypeError, AttributeError) as error:
        raise _DamagedEntry(f"meta.json: {error!r}") from error


def _map(folder: Path, name: str, expected: dict[str, object]) -> np.ndarray:
    path = folder / f"{name}.npy"
    if path.stat().st_size != expected["bytes"]:
        raise _DamagedEntry(
            f"{path.name}: {path.stat().st_size:,} bytes, not {expected['bytes']:,}"
        )
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.dtype != np.uint8 or list(array.shape) != expected["shape"]:
        raise _DamagedEntry(f"{path.name}: {array.dtype}{array.shape}")
    return array


def _write(folder: Path, key: Key, entry: Entry) -> None:
    described = {}
    for name, array in entry.arrays.named().items():
        path = folder / f"{name}.npy"
        with path.open("wb") as file:
            np.save(file, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        described[name] = {"shape": list(array.shape), "bytes": path.stat().st_size}
    meta = {"format": FORMAT, "key": asdict(key), "facts": asdict(entry.facts), "arrays": described}
    (folder / "meta.json").write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")


@contextlib.contextmanager
def _scratch(root: Path) -> Iterator[Path]:
    root.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(root)
    folder = Path(tempfile.mkdtemp(prefix=_SCRATCH_PREFIX, dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put_in_place(scratch: Path, place: Path) -> None:
    scratch.chmod(0o755)  # mkdtemp's folder is private; a cache may be shared
    try:
        scratch.rename(place)
    except OSError:
        # Another process was faster, with the same arrays; or a damaged entry could not be removed.
        _open(place)


def _remove_stale(root: Path, key: Key) -> None:
    """Removes what was decoded from the same place before it changed."""
    for folder in root.glob(f"{key.folder_prefix()}*"):
        if folder.name != key.folder_name():
            shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(root: Path) -> None:
    """Removes what killed processes left half written."""
    for folder in root.glob(f"{_SCRATCH_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > _ABANDONED_AFTER_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
