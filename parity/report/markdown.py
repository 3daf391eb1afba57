"""The report as Markdown, its figures as PNG beside it."""

from __future__ import annotations

import html
import re

from parity.report.blocks import (
    Block,
    Cell,
    Code,
    Figure,
    Listing,
    Missing,
    SideBySide,
    Table,
    Text,
    Wall,
)  # fmt: skip
from parity.report.content import Report

FIGURES = "figures"
"""Folder of the PNGs, beside report.md."""


def markdown(report: Report) -> str:
    """The whole text. Whatever comes from a pair is escaped: as HTML, and as Markdown."""
    parts = [f"# {_plain(report.title)}", *(f"> **{_plain(text)}**" for text in report.notices)]
    for section in report.sections:
        parts.append(f"## {section.title}")
        parts += [_block(block) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def _plain(text: str) -> str:
    escaped = html.escape(" ".join(text.split()), quote=False)
    return re.sub(r"([\\`*_\[\]|~#])", r"\\\1", escaped)


def _block(block: Block) -> str:
    if isinstance(block, Text):
        return f"**{_plain(block.text)}**" if block.mark else _plain(block.text)
    if isinstance(block, Listing):
        lines = "\n".join(f"- {_plain(line)}" for line in block.lines)
        return f"**{_plain(block.title)}**\n\n{lines}"
    if isinstance(block, Missing):
        return f"{_plain(block.text)} This makes it: `{block.command}`"
    if isinstance(block, Code):
        return f"{_plain(block.title)}\n\n{_preformatted(block.text)}"
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Figure):
        picture = f"![{_plain(block.alt)}]({FIGURES}/{block.name}.png)"
        return f"{picture}\n\n{_plain(block.caption)}"
    if isinstance(block, Wall):
        differ = sum(not picture.agrees for picture in block.pictures)
        return f"{len(block.pictures)} pictures are in report.html, {differ} of them disagreements."
    assert isinstance(block, SideBySide)
    sides = (block.reference, block.port)
    return "\n\n".join(f"{_plain(side.title)}:\n\n{_preformatted(side.text)}" for side in sides)


def _preformatted(text: str) -> str:
    """A block whose columns are kept and that no text can end."""
    return f"<pre>\n{html.escape(text, quote=False)}\n</pre>"


def _table(table: Table) -> str:
    flush = ["--:" if cell.mark == "number" else "---" for cell in _widest(table)]
    rows = [
        [_plain(name) for name in table.columns],
        flush,
        *([_plain(cell.text) for cell in row] for row in table.rows),
    ]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([f"{_plain(table.caption)}:", "", *lines])


def _widest(table: Table) -> tuple[Cell, ...]:
    """The row whose cells say how the columns are set."""
    plain = tuple(Cell("") for _ in table.columns)
    return max(table.rows, key=lambda row: sum(c.mark == "number" for c in row), default=plain)
