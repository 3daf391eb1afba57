"""The file format of captures: safetensors with a JSON header. NumPy only.

A capture is named arrays in canonical form and `about`, a dictionary that says where they come
from. The names are paths, described in `docs/captures.md`.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiment.errors import UserError
from experiment.storage import TEMPORARY_SUFFIX

SCHEMA = 1
"""Version of the names and the header. Captures of other versions are refused."""

_REQUIRED = ("schema", "side", "pair", "lane", "seed", "nonce", "start")


class CaptureError(UserError):
    """A capture file that is missing, truncated, foreign, or of another version."""


@dataclass(frozen=True)
class Capture:
    """What one side computed in one lane.

    `where` names the file in errors; '' for a capture that was never in one.
    """

    about: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]
    where: str = ""

    def under(self, prefix: str) -> dict[str, np.ndarray]:
        """The arrays whose names begin with `prefix` and a '/', by the rest of their names."""
        # By name first: `items()` of a capture in a file would read every array of it.
        return {name[len(prefix) + 1 :]: self.arrays[name] for name in self.names(prefix)}

    def names(self, prefix: str) -> Iterator[str]:
        """The names that begin with `prefix` and a '/', whole, in the order of writing."""
        return (name for name in self.arrays if name.startswith(f"{prefix}/"))


def write_capture(path: Path, about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write a capture, whole or not at all. Raises `OSError`."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    # Without a C-contiguous array safetensors writes the transposed bytes under the given shape.
    tensors = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    header = {**about, "schema": SCHEMA, "names": list(arrays)}
    with _put_in_place(path) as temporary:
        try:
            save_file(tensors, temporary, metadata={"about": json.dumps(header)})
        except SafetensorError as error:
            raise OSError(f"{path}: cannot be written ({error})") from error


def read_capture(path: Path) -> Capture:
    """Open a capture; its arrays are read as they are asked for.

    Raises `CaptureError` for a file that is missing, truncated, no capture, or of another schema.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            header = (file.metadata() or {}).get("about")
            about = json.loads(header) if header else None
            if not isinstance(about, dict) or "schema" not in about:
                raise CaptureError(f"{path}: a safetensors file, but no capture of parity")
            _check_header(path, about)
            names = about.pop("names")
            if sorted(names) != sorted(file.keys()):
                raise CaptureError(f"{path}: its arrays are not those that its header lists")
    except FileNotFoundError as error:
        raise CaptureError(
            f"{path}: no such file; write it with python -m parity capture"
        ) from error
    except (OSError, SafetensorError, ValueError) as error:
        raise CaptureError(
            f"{path}: cannot be read as a capture ({error}); it is truncated, or none; "
            "write it again with python -m parity capture"
        ) from error
    return Capture(about, _FileArrays(path, names), str(path))


@contextmanager
def _put_in_place(path: Path) -> Iterator[Path]:
    """A file beside `path` that then takes its place, or is removed where anything fails.

    As `experiment.storage.write_atomically`, whose bytes would be the whole capture once more.
    """
    handle, name = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.name}-", suffix=TEMPORARY_SUFFIX
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:  # opened now: what was written may be another file
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


class _FileArrays(Mapping[str, np.ndarray]):
    """The arrays of a file, each read when it is asked for: captures may be larger than memory."""

    def __init__(self, path: Path, names: list[str]) -> None:
        from safetensors import safe_open

        self._file = safe_open(path, framework="numpy")
        self._names = dict.fromkeys(names)

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._names:
            raise KeyError(name)
        return self._file.get_tensor(name)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """sha256 over names, dtypes, shapes and bytes; the order of the entries does not matter."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def _check_header(path: Path, about: Mapping[str, Any]) -> None:
    if about["schema"] != SCHEMA:
        raise CaptureError(
            f"{path}: schema version {about['schema']!r}, this version reads {SCHEMA}; "
            "write the capture again with this version"
        )
    if missing := [name for name in (*_REQUIRED, "names") if name not in about]:
        raise CaptureError(f"{path}: its header lacks {', '.join(missing)}")
