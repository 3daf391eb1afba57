"""What a chart shows, free of any library: `interactive` and `drawing` make pictures of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["reference", "port", "published", "noise", "limit"]
"""Whose numbers they are; it decides the colour."""

Values = tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One curve, maybe with a band around it."""

    name: str
    role: Role
    x: Values
    y: Values
    low: Values = ()
    high: Values = ()
    """Ends of the band; empty for none."""
    dashed: bool = False
    named: bool = True
    """Whether the legend has it."""
    marked: bool = True
    """Whether its points are marked."""


@dataclass(frozen=True, kw_only=True)
class LineChart:
    """Curves over one axis."""

    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    log: bool = False
    """Whether the upright axis is logarithmic; zeros are left out then."""
    log_x: bool = False
    whole: bool = False
    """Whether x counts something."""


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One field of a map."""

    value: float | None
    """log10 of the share of what is allowed: above 0 it departs. None: not measured."""
    text: str
    hover: tuple[str, ...]
    """Lines."""


@dataclass(frozen=True, kw_only=True)
class HeatMap:
    """Shares of what is allowed."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    tiles: tuple[tuple[Tile, ...], ...]
    """By row."""


LEAST, MOST = -6.0, 2.0
"""Ends of a map's colours, as log10 of the share of what is allowed."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar, with the range of its repeats."""

    name: str
    role: Role
    value: float
    low: float | None = None
    high: float | None = None
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class BarChart:
    """Lying bars, the first on top."""

    title: str
    label: str
    bars: tuple[Bar, ...]


Chart = LineChart | HeatMap | BarChart
