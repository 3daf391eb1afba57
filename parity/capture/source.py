"""Whose model it is: the text that it is written in, and digests of the code. NumPy only."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import experiment
from experiment.provenance import code_digests

LONGEST = 100_000
"""Characters of a source file that a header takes; longer ones are left out."""

_ROOT = Path(experiment.__file__).parents[1]


def source_of(model: Any) -> dict[str, str]:
    """`module`, `file` (its name alone) and `text` of the file that the model's class stands in.

    Empty where there is no such file: a class that was made while Python ran.
    """
    kind = type(model)
    try:
        path = inspect.getsourcefile(kind)
        text = Path(path).read_text(encoding="utf-8") if path else ""
    except (TypeError, OSError, UnicodeDecodeError):
        return {}
    if not path or not text or len(text) > LONGEST:
        return {}
    return {"module": kind.__module__, "file": Path(path).name, "text": text}


def code_of(model: Any) -> dict[str, str]:
    """Digests of the packages of this repository that the model is made of; else empty."""
    package = type(model).__module__.partition(".")[0]
    return code_digests(package) if (_ROOT / package / "__init__.py").is_file() else {}
