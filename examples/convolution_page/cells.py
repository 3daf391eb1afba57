"""Cells, marks and frames: what the page's pictures are drawn with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FIRST, _FIRST_FILL, _NEXT = "#0b6e99", "#a9d3e5", "#c1440e"

Cell = tuple[int, int]
"""Row and column."""


def draw_cell(
    axes: Axes, cell: Cell, text: str = "", fill: Any = "white", dashed: bool = False,
    bold: bool = False,
) -> None:  # fmt: skip
    """A square of the grid; padding and what is cut away are dashed."""
    from matplotlib.patches import Rectangle

    row, column = cell
    edge, line, order = ("#999999", "--", 0.5) if dashed else ("#555555", "-", 1.0)
    square = Rectangle(
        (column, row), 1, 1, facecolor=fill, edgecolor=edge, linestyle=line, linewidth=0.9,
        zorder=order,
    )  # fmt: skip
    axes.add_patch(square)
    weight = "bold" if bold else "normal"
    colour = "black" if bold or not dashed else "#444444"
    axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=9,
              color=colour, weight=weight, zorder=4)  # fmt: skip


def mark(axes: Axes, first: Iterable[Cell], following: Iterable[Cell]) -> None:
    """The first window's cells in blue, the next one's with an orange ring."""
    from matplotlib.patches import Circle

    for row, column in first:
        box(axes, (column + 0.06, row + 0.06), 0.88, 0.88, _FIRST, face=_FIRST_FILL)
    for row, column in following:
        ring = Circle((column + 0.5, row + 0.5), 0.34, fill=False, edgecolor=_NEXT, linewidth=2.2)
        axes.add_patch(ring).set_zorder(3)


def box(
    axes: Axes, corner: tuple[float, float], width: float, height: float, colour: str,
    fill: bool = True, face: str | None = None,
) -> None:  # fmt: skip
    """A rectangle over the grid; `corner` is column and row."""
    from matplotlib.patches import Rectangle

    patch = Rectangle(corner, width, height, facecolor=face or colour, edgecolor=colour,
                      linewidth=1.6, fill=fill, zorder=2)  # fmt: skip
    axes.add_patch(patch)
