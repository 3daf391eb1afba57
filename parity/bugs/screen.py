"""The scorecard and the catalogue for the terminal and for pages."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from parity.bugs.bug import Bug, NotPlanted
from parity.bugs.scorecard import Line, Scorecard
from parity.screen import WIDTH

MARKS = ("<!-- porting bugs: written by python -m parity bugs -->", "<!-- porting bugs: end -->")
"""The lines of a page between which the score stands."""


def render(card: Scorecard) -> str:
    """A line a bug, what was missed below it, and the score."""
    widths = [
        max(map(len, column), default=0)
        for column in zip(*[(li.name, li.stage, li.layer) for li in card.lines], strict=True)
    ] or [0, 0, 0]
    lines = [_port(name, said) for name, said in card.right_ports.items()]
    for line in card.lines:
        cells = (line.name, line.stage or "nowhere", line.layer)
        shown = "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
        lines.append(f"{line.row:>3}  {shown}  {_outcome(line)}".rstrip())
        if line.missed:
            lines += _indented(f"{'; '.join(line.missed)}. Said: {line.text}")
    return "\n".join([*lines, "", *card.summary, f"{card.seconds:.0f} s"])


def _outcome(line: Line) -> str:
    if line.missed:
        return "MISSED"
    return f"hint {line.hint}" if line.hint_right else "found"


def _port(name: str, said: str) -> str:
    return f"right port of {name}: " + (f"FAILS: {said}" if said else "passes")


def _indented(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH - 5, initial_indent="     ", subsequent_indent="     ")


def listing(bugs: Sequence[Bug], left_out: Iterable[NotPlanted]) -> str:
    """The catalogue, a bug a line."""
    width = max(len(bug.name) for bug in bugs)
    lines = [f"{bug.row:>3}  {bug.name:<{width}}  {bug.title}" for bug in bugs]
    lines += [f"{entry.row:>3}  {'':<{width}}  not planted: {entry.why}" for entry in left_out]
    return "\n".join(sorted(lines, key=lambda line: int(line[:3])))


def score_table(card: Scorecard) -> str:
    """The score in Markdown, with where it was measured."""
    rows = [line.partition(": ")[::2] for line in card.summary[1:]]
    versions = ", ".join(f"{name} {v}" for name, v in card.where.get("versions", {}).items())
    return "\n".join(
        [
            f"{card.summary[0]}, into right pairs:",
            "",
            "| | |",
            "|---|---|",
            *(f"| {what} | {count} |" for what, count in rows),
            "",
            f"Seed 0, {card.date[:10]}, {card.where.get('device', '')}, {card.seconds:.0f} s on "
            f"both frameworks together; {versions}.",
        ]
    )
