"""What the catalogue consists of: right pairs whose ports are made of parts, and wrong parts."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from parity.pair import Pair

Parts = Mapping[str, str]
"""Name of a part -> what plays it: a function or class of the topic's `port.py`. 'name:1e-08' is
that function with 1e-08 as its first argument."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A right pair, small and shared, that bugs are planted into."""

    name: str
    topic: str
    """Folder of parity/bugs that it is in."""
    parts: Parts
    """The parts of the right port that a bug may take the place of."""
    pair: Callable[[Parts], Pair]
    """The pair whose port has these parts. The reference is the same whatever they are."""

    @property
    def right(self) -> Pair:
        """The pair without any bug."""
        return self.pair(self.parts)


@dataclass(frozen=True, kw_only=True)
class Bug:
    """One mistake that people made, and where the harness has to find it."""

    row: int
    """Its number in the catalogue; some rows have several kinds."""
    name: str
    """As the command takes it: words with hyphens."""
    title: str
    """The mistake, in a line."""
    symptom: str
    """What somebody sees who does not look for it, and why it stays unnoticed."""
    source: str
    """Where people made it or wrote of it: links in Markdown, or the documentation that says what
    is right."""
    subject: Subject
    part: str
    """Which part of the right port it takes the place of."""
    wrong: str
    """What plays the part instead."""
    stage: str
    """The first stage that departs."""
    layer: str = ""
    """The reference's layer that is to be named; '' where no layer is at fault."""
    words: str = ""
    """What the departure's text must say beside: the tensor, the step, the batch."""
    hint: int | None = field(default=None)
    """The number that the hint has to name; None: the row's own."""
    hinted: bool = True
    """False where no pattern can tell this mistake from others."""
    tags: tuple[str, ...] = ()
    """'fast': in the subset that every change is tested with."""

    @property
    def right(self) -> str:
        """What plays the part in the right port."""
        return self.subject.parts[self.part]

    @property
    def pair(self) -> Pair:
        """The pair with the bug in its port."""
        return self.subject.pair({**self.subject.parts, self.part: self.wrong})

    @property
    def expected_hint(self) -> int | None:
        """The number that the hint has to name; None where no hint is expected."""
        if not self.hinted:
            return None
        return self.row if self.hint is None else self.hint


@dataclass(frozen=True)
class NotPlanted:
    """A row that cannot be planted, and why."""

    row: int
    title: str
    why: str


def part(topic: str, spec: str) -> Any:
    """What plays a part, from the topic's port.py; imports JAX."""
    name, _, size = spec.partition(":")
    found = getattr(importlib.import_module(f"parity.bugs.{topic}.port"), name)
    return partial(found, float(size)) if size else found
