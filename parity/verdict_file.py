"""Reads verdict.json again. NumPy only."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from experiment.errors import UserError
from parity.curves.typed_json import MismatchError, decode
from parity.verdict import SCHEMA, Verdict

_DERIVED = ("schema", "passed", "exit_code", "first_departure")
"""Keys that follow from the others."""

_NUMBERS = frozenset(
    ("error", "introduced", "introduced_ulps", "budget", "needed", "limit", "ulps", "tolerance",
     "reference_value", "port_value", "mean", "std", "quantiles")
)  # fmt: skip
"""Keys of numbers, which may be "inf", "-inf" and "nan"."""

_ADVICE = "write it again with: python -m parity verify PAIR --out FILE"


class VerdictFileError(UserError):
    """A file that holds no verdict, or not a whole one."""


def read_verdict(path: Path) -> Verdict:
    """Raises `VerdictFileError` for a file that is missing, cut off, foreign, of another version,
    or of a comparison that could not be made."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise VerdictFileError(f"{path}: no such file; {_ADVICE}") from error
    except OSError as error:
        raise VerdictFileError(f"{path}: cannot be read ({error.strerror}); {_ADVICE}") from error
    except ValueError as error:  # not JSON, or not even text
        raise VerdictFileError(f"{path}: not JSON, or cut off ({error}); {_ADVICE}") from error
    return _verdict(path, content)


def _verdict(path: Path, content: Any) -> Verdict:
    if not isinstance(content, dict) or not {"schema", "pair", "results"} <= content.keys():
        raise VerdictFileError(
            f'{path}: a foreign file: expected the keys "schema", "pair", "results"; {_ADVICE}'
        )
    if content["schema"] != SCHEMA:
        raise VerdictFileError(
            f"{path}: schema: found {content['schema']!r}, expected {SCHEMA}; {_ADVICE}"
        )
    if "error" in content:
        raise VerdictFileError(
            f"{path}: holds no verdict, since the comparison could not be made: "
            f"{content['error']}; {_ADVICE}"
        )
    try:
        kept = {key: value for key, value in content.items() if key not in _DERIVED}
        return decode(Verdict, _numbers(kept))
    except MismatchError as error:
        raise VerdictFileError(f"{path}: {error}; {_ADVICE}") from error


def _numbers(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _numbers(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item, key) for item in value]
    if key in _NUMBERS and value in ("inf", "-inf", "nan"):
        return {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}[value]
    return value
