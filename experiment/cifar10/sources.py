"""Where pictures come from: turns a path into a `Source`, which knows what it is and reads itself.

`loading.py` decides which source a value of `--data` means; here are those on this machine.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from experiment.cifar10 import archive, binary, python_layout, synthetic, tfds_folder
from experiment.cifar10.cache import Key
from experiment.cifar10.pictures import Arrays, DataError


class DataPathError(DataError):
    """The path given for the data does not exist, is empty, or cannot be read."""


class UnknownLayoutError(DataError):
    """There is something at the path, but none of the layouts in which CIFAR-10 is read."""


@dataclass(frozen=True)
class Source:
    """Pictures that can be decoded, and the key under which they stay in the cache."""

    key: Key
    read: Callable[[], tuple[Arrays, str]]
    """Decodes: the arrays and the form they were found in ("binary archive")."""


_EXPECTED = (
    "Expected CIFAR-10 as a folder or tar.gz in the official binary layout "
    f"({binary.FOLDER}/) or python layout ({python_layout.FOLDER}/), or a folder that "
    "tensorflow-datasets prepared in array_record format (cifar10/<version>/)."
)

_ARCHIVE_MEMBERS = dict.fromkeys(binary.FILES, binary.MAX_FILE_BYTES) | dict.fromkeys(
    python_layout.FILES, python_layout.MAX_FILE_BYTES
)


def stand_in() -> Source:
    """The built-in synthetic pictures."""
    key = Key("synthetic", "built in", f"version {synthetic.VERSION}")
    return Source(key, lambda: (synthetic.generate(), "synthetic stand-in"))


def at_path(path: Path) -> Source:
    """The source at `path`, recognised by its content.

    Raises:
        DataPathError, UnknownLayoutError: see there.
    """
    try:
        path = path.expanduser().absolute()
        if path.is_dir():
            return _folder(path)
        if path.is_file():
            return _archive(path)
    except (OSError, RuntimeError) as error:  # RuntimeError: no home folder for "~somebody"
        raise DataPathError(f"{path}: cannot be read ({error}). Check its permissions.") from error
    raise DataPathError(
        f"{path}: no such file or folder. {_EXPECTED} Or one of the words auto, cifar10, synthetic."
    )


def _archive(path: Path) -> Source:
    if path.stat().st_size == 0:
        raise DataPathError(f"{path}: the file is empty. {_EXPECTED}")
    return Source(_key("archive", path, [path]), lambda: _read_archive(path))


def _read_archive(path: Path) -> tuple[Arrays, str]:
    members = archive.read_members(path, _ARCHIVE_MEMBERS)
    if any(name in members for name in binary.FILES):
        return binary.decode(members, str(path)), "binary archive"
    if any(name in members for name in python_layout.BATCHES):
        return python_layout.decode(members, str(path)), "python archive"
    raise UnknownLayoutError(f"{path}: a tar archive without any batch of CIFAR-10. {_EXPECTED}")


def _folder(path: Path) -> Source:
    for layout, read, names in (
        (binary, binary.read_folder, binary.FILES),
        (python_layout, python_layout.read_folder, python_layout.BATCHES),
    ):
        for folder in (path, path / layout.FOLDER):
            if any((folder / name).is_file() for name in names):
                return _of_folder(layout.FOLDER, folder, read, [folder / n for n in layout.FILES])
    if prepared := tfds_folder.find(path):
        files = [file for file in prepared.iterdir() if file.is_file()]
        return _of_folder("tfds", prepared, tfds_folder.read_folder, files)
    raise _unknown(path)


_FORMS = {
    binary.FOLDER: "binary folder",
    python_layout.FOLDER: "python folder",
    "tfds": "folder prepared by tensorflow-datasets",
}


def _of_folder(
    kind: str, folder: Path, read: Callable[[Path], Arrays], files: list[Path]
) -> Source:
    return Source(_key(kind, folder, files), lambda: (read(folder), _FORMS[kind]))


def _key(kind: str, path: Path, files: list[Path]) -> Key:
    """Names, sizes and times of change stand for the contents, as in `make`."""
    stamp = []
    for file in sorted(files):
        if file.is_file():  # a missing one is the decoder's to complain about
            status = file.stat()
            stamp.append(f"{file.name} {status.st_size} {status.st_mtime_ns}")
    return Key(kind, str(path.resolve()), "\n".join(stamp))


def _unknown(path: Path) -> DataError:
    entries = sorted(entry.name + "/" * entry.is_dir() for entry in path.iterdir())
    if not entries:
        return DataPathError(f"{path}: the folder is empty. {_EXPECTED}")
    shown = ", ".join(entries[:8]) + (f" and {len(entries) - 8} more" if len(entries) > 8 else "")
    return UnknownLayoutError(f"{path}: no layout of CIFAR-10 in it; found {shown}. {_EXPECTED}")
