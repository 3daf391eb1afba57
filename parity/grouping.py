"""Sentences about many names: one for all that share a reason, its list shortened. NumPy only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

SHOWN = 4
"""Names in a sentence; one more is not left out for the words 'and 1 more'."""


def listed(names: Iterable[str], shown: int = SHOWN) -> str:
    """'a, b, c, d and 49 more', each name once."""
    found = list(dict.fromkeys(names))
    if len(found) <= shown + 1:
        return ", ".join(found)
    return f"{', '.join(found[:shown])} and {len(found) - shown} more"


def grouped(reasons: Mapping[str, str]) -> list[str]:
    """Name -> why, as one sentence 'names: why' a reason."""
    names: dict[str, list[str]] = {}
    for name, why in reasons.items():
        names.setdefault(why, []).append(name)
    return [listed(found) + (f": {why}" if why else "") for why, found in names.items()]
