"""Sentences about many names: one for all that share a reason, its list shortened. NumPy only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

SHOWN = 4
"""Names in a sentence; one more is not left out for the words 'and 1 more'."""

ALIKE = 3
"""Names that differ in their numbers alone are written as one from so many on."""

_NUMBER = re.compile(r"(?<![^./#])\d+(?![^./#])")
"""A whole part of a path: the 0 in blocks.0.relu, in blocks/0/relu and in drop#0; not in conv0."""


def listed(names: Iterable[str], shown: int = SHOWN) -> str:
    """'a, b, c, d and 49 more', each name once; 'blocks.0-11.relu (12)' for blocks.0.relu..."""
    found = _alike(dict.fromkeys(names))
    if len(found) <= shown + 1:
        return ", ".join(found)
    rest = sum(list(found.values())[shown:])
    return f"{', '.join(list(found)[:shown])} and {rest} more"


def grouped(reasons: Mapping[str, str]) -> list[str]:
    """Name -> why, as one sentence 'names: why' a reason."""
    names: dict[str, list[str]] = {}
    for name, why in reasons.items():
        names.setdefault(why, []).append(name)
    return [listed(found) + (f": {why}" if why else "") for why, found in names.items()]


def _alike(names: Iterable[str]) -> dict[str, int]:
    """Names that differ in numbers alone as one, and how many it stands for."""
    patterns: dict[str, list[str]] = {}
    for name in names:
        patterns.setdefault(_NUMBER.sub("*", name), []).append(name)
    found: dict[str, int] = {}
    for same in patterns.values():
        if len(same) < ALIKE:
            found |= dict.fromkeys(same, 1)
        else:
            found[f"{_one_for(same)} ({len(same)})"] = len(same)
    return found


def _one_for(names: list[str]) -> str:
    """'blocks.0-11.relu'; 'blocks.*.relu' where the numbers leave any out."""
    columns = zip(*(map(int, _NUMBER.findall(name)) for name in names), strict=True)
    words = iter([_span(set(column)) for column in columns])
    return _NUMBER.sub(lambda _: next(words), names[0])


def _span(numbers: set[int]) -> str:
    first, last = min(numbers), max(numbers)
    if first == last:
        return str(first)
    return f"{first}-{last}" if len(numbers) == last - first + 1 else "*"
