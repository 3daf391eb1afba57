"""Runs what the user wrote, and says where in the user's files it failed."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from experiment.errors import UserError
from parity.pair import Pair, PairError

_HARNESS = Path(__file__).resolve().parent
_PAIRS = _HARNESS / "pairs"
_INSTALLED = tuple(
    Path(sysconfig.get_path(key)).resolve() for key in ("stdlib", "platstdlib", "purelib")
)


def call(pair: Pair, role: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """What the pair's function returns. `role` is its name there: 'port', 'inputs', 'port_loss'.

    Raises `PairError` that names the role, the exception and the user's line; the exception is its
    cause. What is already said to the user (`UserError`) passes.
    """
    try:
        return function(*arguments)
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        where = user_line(error) or _definition(function)
        raise PairError(
            f"pair {pair.name!r}: {role} failed: {described(error)}"
            + (f"\n  at {where}" if where else "")
        ) from error


def user_line(error: BaseException) -> str:
    """'file:line, in function' of the innermost frame in the user's files; '' where there is none.

    The user's are all files but Python's, the installed packages' and the harness's own.
    """
    frames = [f for f in traceback.extract_tb(error.__traceback__) if is_user_file(f.filename)]
    if not frames:
        return ""
    frame = frames[-1]
    inside = "" if frame.name == "<module>" else f", in {frame.name}"
    source = f"\n    {frame.line}" if frame.line else ""
    return f"{frame.filename}:{frame.lineno}{inside}{source}"


def is_user_file(filename: str) -> bool:
    """Whether a source file was written by the user, and not installed or of the harness."""
    if filename.startswith("<"):  # '<frozen importlib._bootstrap>', '<string>'
        return False
    path = Path(filename).resolve()
    if {"site-packages", "dist-packages"} & set(path.parts):
        return False
    if path.is_relative_to(_HARNESS):
        return path.is_relative_to(_PAIRS)
    return not any(path.is_relative_to(folder) for folder in _INSTALLED)


def described(error: BaseException) -> str:
    """The exception's class and text."""
    return "".join(traceback.format_exception_only(error)).strip()


def _definition(function: Callable[..., Any]) -> str:
    """Where a function stands that could not even be called, as with another number of arguments"""
    code = getattr(function, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else ""
