"""Ports of a subject by name: 'right', or a bug, or a bug at a size. Imports no framework."""

from __future__ import annotations

from parity.bugs.bug import Subject
from parity.bugs.catalogue import all_subjects, bugs
from parity.pair import Pair

RIGHT = "right"
"""The port without any bug."""


def subject_named(name: str) -> Subject:
    """One of the catalogue's."""
    return next(subject for subject in all_subjects() if subject.name == name)


def named_pair(subject: Subject, name: str) -> Pair:
    """The subject's pair with that port: 'right', the name of a bug, or 'PART=FUNCTION:SIZE'."""
    if name == RIGHT:
        return subject.right
    if "=" in name:
        part, _, spec = name.partition("=")
        return subject.pair({**subject.parts, part: spec})
    return next(bug for bug in bugs() if bug.name == name).pair
