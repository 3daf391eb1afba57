"""What a section of the report is made of. `page` makes HTML of it, `markdown` Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from parity.report.charts import Chart

Mark = Literal["", "good", "bad", "warn", "number"]


@dataclass(frozen=True)
class Cell:
    """A field of a table that is more than its text."""

    text: str
    mark: Mark = ""


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str
    mark: Mark = ""


@dataclass(frozen=True)
class Listing:
    """Sentences under a heading of their own."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """Text whose columns matter."""

    title: str
    text: str


@dataclass(frozen=True)
class Missing:
    """What the section would need, and the command that makes it."""

    text: str
    command: str


@dataclass(frozen=True)
class Table:
    """The first cell of a row is its heading."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    folded: bool = False
    """Whether it is opened by hand: the text equivalent of a figure."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Charts that are looked at together."""

    name: str
    """File name without its ending."""
    caption: str
    alt: str
    """What it shows, for who does not see it."""
    charts: tuple[Chart, ...]
    notice: str | None = None
    """What must stand on the picture."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One test picture, and what both frameworks say of it."""

    png: bytes
    alt: str
    lines: tuple[str, ...]
    agrees: bool


@dataclass(frozen=True)
class Wall:
    """Test pictures."""

    pictures: tuple[Picture, ...]
    open: int = 60
    """How many are seen at once; the others are opened by hand."""


@dataclass(frozen=True)
class Source:
    """A side's model file, in lines beside the other's."""

    title: str
    lines: tuple[tuple[str, str], ...]
    """(number of the line, text); the number is empty where the other side has more."""
    same: tuple[bool, ...]
    """By line: whether the other side has it word by word."""
    text: str = field(repr=False, default="")
    """The file as it is."""


@dataclass(frozen=True)
class SideBySide:
    """Two files."""

    reference: Source
    port: Source


Block = Text | Listing | Code | Missing | Table | Figure | Wall | SideBySide


@dataclass(frozen=True)
class Section:
    """One heading of the report and what stands below it."""

    key: str
    title: str
    blocks: tuple[Block, ...]


def cells(*values: str | Cell) -> tuple[Cell, ...]:
    """A row of a table; text is plain."""
    return tuple(value if isinstance(value, Cell) else Cell(value) for value in values)


def numbers(*values: str) -> tuple[Cell, ...]:
    """Cells that are set flush right."""
    return tuple(Cell(value, "number") for value in values)
