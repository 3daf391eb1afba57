"""The model files of both sides, side by side."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from parity.report.blocks import Missing, Section, SideBySide, Source, Text
from parity.verdict import Verdict


def sources(verdict: Verdict | None) -> Section:
    """Two columns, the lines that are alike on one height."""
    key, title = "sources", "Source, side by side"
    if verdict is None:
        return Section(key, title, (Missing("No verdict was given.", "python -m parity verify"),))
    if {"reference", "port"} - verdict.sources.keys():
        text = Text("The models were not made from files whose text is known.")
        return Section(key, title, (text,))
    return Section(
        key, title, (side_by_side(verdict.sources["reference"], verdict.sources["port"]),)
    )


def side_by_side(reference: Mapping[str, str], port: Mapping[str, str]) -> SideBySide:
    """Both texts with gaps, so that matching lines stand beside each other."""
    ours, theirs = reference["text"].splitlines(), port["text"].splitlines()
    matcher = difflib.SequenceMatcher(None, _stripped(ours), _stripped(theirs), autojunk=False)
    left: list[tuple[str, str]] = []
    right: list[tuple[str, str]] = []
    same: list[bool] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        height = max(i2 - i1, j2 - j1)
        left += _padded(ours, i1, i2, height)
        right += _padded(theirs, j1, j2, height)
        same += [tag == "equal"] * height
    return SideBySide(
        Source(_name(reference), tuple(left), tuple(same), reference["text"]),
        Source(_name(port), tuple(right), tuple(same), port["text"]),
    )


def _stripped(lines: list[str]) -> list[str]:
    return [line.strip() for line in lines]


def _padded(lines: list[str], first: int, last: int, height: int) -> list[tuple[str, str]]:
    shown = [(str(number + 1), lines[number]) for number in range(first, last)]
    return shown + [("", "")] * (height - len(shown))


def _name(side: Mapping[str, str]) -> str:
    return f"{side['module']} ({side['file']})"
