"""The whole catalogue, in the order of its rows. Imports no framework."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

from experiment.errors import UserError
from parity.bugs.bug import Bug, NotPlanted, Subject

ROWS = 62
"""Rows of the catalogue."""


class UnknownBugError(UserError):
    """A name or number that is no bug's."""


def topics() -> list[str]:
    """The folders that hold bugs."""
    here = Path(__file__).parent
    return sorted(path.parent.name for path in here.glob("*/entries.py"))


@cache
def bugs() -> tuple[Bug, ...]:
    """Every planted bug, by row."""
    found = [bug for topic in topics() for bug in _entries(topic).BUGS]
    return tuple(sorted(found, key=lambda bug: bug.row))


@cache
def not_planted() -> tuple[NotPlanted, ...]:
    """The rows that are not, and why."""
    found = [n for topic in topics() for n in getattr(_entries(topic), "NOT_PLANTED", ())]
    return tuple(sorted(found, key=lambda entry: entry.row))


def subjects(chosen: Iterable[Bug]) -> list[Subject]:
    """The pairs that these bugs are planted into, each once."""
    return list({bug.subject.name: bug.subject for bug in chosen}.values())


def all_subjects() -> list[Subject]:
    """Every right pair of the catalogue."""
    return list({s.name: s for topic in topics() for s in _entries(topic).SUBJECTS}.values())


def choose(words: Sequence[str]) -> tuple[Bug, ...]:
    """Bugs by name, by row, or by tag; all without words. Raises `UnknownBugError`."""
    if not words:
        return bugs()
    unknown = [w for w in words if not any(_is(bug, w) for bug in bugs())]
    if unknown:
        reasons = {str(entry.row): entry.why for entry in not_planted()}
        said = "; ".join(
            f"{w} cannot be planted: {reasons[w]}" if w in reasons else f"no bug {w!r}"
            for w in unknown
        )
        raise UnknownBugError(f"{said}. `python -m parity bugs --list` prints all of them")
    return tuple(bug for bug in bugs() if any(_is(bug, word) for word in words))


def _is(bug: Bug, word: str) -> bool:
    return word in (bug.name, str(bug.row), bug.subject.topic, *bug.tags)


def _entries(topic: str) -> ModuleType:
    return importlib.import_module(f"parity.bugs.{topic}.entries")
