"""JSON files of a comparison: whole or not at all, and known by format and schema number."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, TypeVar

from experiment.errors import UserError
from experiment.storage import write_atomically
from parity.curves.typed_json import MismatchError, decode

SCHEMA = 1
"""Version of every file of a comparison."""

T = TypeVar("T")


class CurvesFileError(UserError):
    """A file of a comparison that is missing, cut off, foreign or of another version."""


def write(path: Path, format_name: str, content: Any) -> None:
    """Replace `path` by a dataclass as JSON; its folder is made. Raises `OSError`.

    Raises `ValueError` for NaN and Inf, which JSON cannot hold.
    """
    values = {"format": format_name, "schema": SCHEMA, **dataclasses.asdict(content)}
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(values, indent=1, allow_nan=False)
    write_atomically(path, f"{text}\n".encode())


def read(path: Path, format_name: str, kind: type[T], advice: str) -> T:
    """The dataclass that `write` wrote. `advice` says how such a file is made.

    Raises `CurvesFileError` naming the file, what is wrong with it and what to do.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except FileNotFoundError as error:
        raise CurvesFileError(f"{path}: no such file; {advice}") from error
    except OSError as error:
        raise CurvesFileError(f"{path}: cannot be read ({error.strerror}); {advice}") from error
    except ValueError as error:  # not JSON, or not even text
        raise CurvesFileError(f"{path}: not JSON, or cut off ({error}); {advice}") from error
    if not isinstance(content, dict) or content.pop("format", None) != format_name:
        raise CurvesFileError(
            f'{path}: a foreign file: expected "format": "{format_name}"; {advice}'
        )
    schema = content.pop("schema", None)
    if schema != SCHEMA:
        raise CurvesFileError(f"{path}: schema: found {schema!r}, expected {SCHEMA}; {advice}")
    try:
        return decode(kind, content)
    except MismatchError as error:
        raise CurvesFileError(f"{path}: {error}; {advice}") from error


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is no number of a comparison")
