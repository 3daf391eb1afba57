"""The page's pictures. What they show is computed by `geometry` or by running the layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from examples.convolution_page.cells import Cell, box, draw_cell, mark
from examples.convolution_page.geometry import Axis, TransposedAxis, axes_of
from examples.convolution_page.measurement import connections, framed, torch_layer
from examples.convolution_page.options import Call, Option
from experiment.storage import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MODES = ("zeros", "reflect", "replicate", "circular")
_EXTRA = "#d5ecc8"
_GROUP_COLOURS = ("#0b6e99", "#c1440e", "#3d7a35", "#7a3d78")


def draw(option: Option, path: Path) -> None:
    """Write an option's picture as PNG. Raises OSError."""
    from io import BytesIO

    figure = _FIGURES[option.drawn](option.calls[: option.how_many])
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=90, metadata={"Software": None})
    write_atomically(path, buffer.getvalue())


def _windows(calls: Sequence[Call]) -> Figure:
    """A picture and its padding on the left, the output on the right; the first two windows."""
    figure, rows = _rows(calls)
    for call, (left, right) in zip(calls, rows, strict=True):
        height, width = axes_of(torch_layer(call), call.sizes)
        assert isinstance(height, Axis)
        assert isinstance(width, Axis)
        down = range(-height.before, height.w + height.after)
        across = range(-width.before, width.w + width.after)
        for cell in product(down, across):
            inside = 0 <= cell[0] < height.w and 0 <= cell[1] < width.w
            draw_cell(left, cell, text="" if inside else "0", dashed=not inside)
        mark(left, product(height.cells(0), width.cells(0)), _next_windows(height, width))
        for cell in product(range(height.output), range(width.output)):
            draw_cell(right, cell)
        mark(right, [(0, 0)], [_next_place(height, width)])
        pads = "" if not (height.before or width.after) else " in its padding (dashed)"
        _titles(left, right, f"picture {height.w}x{width.w}{pads}", height, width)
    return figure


def _stamps(calls: Sequence[Call]) -> Figure:
    """A small picture on the left, what its first two cells stamp on the right."""
    figure, rows = _rows(calls)
    for call, (left, right) in zip(calls, rows, strict=True):
        height, width = axes_of(torch_layer(call), call.sizes)
        assert isinstance(height, TransposedAxis)
        assert isinstance(width, TransposedAxis)
        for cell in product(range(height.w), range(width.w)):
            draw_cell(left, cell)
        mark(left, [(0, 0)], [(0, 1)])
        for cell in product(_reached(height), _reached(width)):
            kept = 0 <= cell[0] < height.output and 0 <= cell[1] < width.output
            extra = cell[0] >= height.output - height.q or cell[1] >= width.output - width.q
            draw_cell(right, cell, fill=_EXTRA if kept and extra else "white", dashed=not kept)
        mark(
            right,
            product(height.cells(0), width.cells(0)),
            product(height.cells(0), width.cells(1)),
        )
        _titles(left, right, f"picture {height.w}x{width.w}", height, width)
        if height.p or height.q:
            note = "dashed: cut away by padding\ngreen: added by output_padding"
            right.set_xlabel(note, fontsize=9, loc="left")
    return figure


def _groups(calls: Sequence[Call]) -> Figure:
    """Channels as boxes, input on the left, output on the right, and who looks at whom."""
    figure = _figure(2.4 * len(calls), 3.3)
    for axes, call in zip(figure.subplots(1, len(calls)), calls, strict=True):
        groups = torch_layer(call).groups
        there, _ = connections(call)
        outputs, inputs = there.shape
        gap = (outputs - 1) / (inputs - 1)
        for out, into in zip(*np.nonzero(there), strict=True):
            colour = _GROUP_COLOURS[int(into) * groups // inputs]
            axes.plot([0.5, 4], [into * gap + 0.4, out + 0.4], color=colour, linewidth=1.1)
        for into in range(inputs):
            colour = _GROUP_COLOURS[into * groups // inputs]
            box(axes, (-0.3, into * gap), 0.8, 0.8, colour)
        for out in range(outputs):
            box(axes, (4, out), 0.8, 0.8, _GROUP_COLOURS[out * groups // outputs])
        axes.set(xlim=(-0.6, 5.1), ylim=(outputs, -0.4), aspect="equal")
        axes.axis("off")
        axes.set_title(f"groups={groups}", fontsize=11)
        axes.text(0.1, outputs + 0.3, "in", ha="center", fontsize=9)
        axes.text(4.4, outputs + 0.3, "out", ha="center", fontsize=9)
    return figure


def _modes(calls: Sequence[Call]) -> Figure:
    """The numbers 1 to 12 in a frame two cells wide, by each mode."""
    from matplotlib import colormaps

    picture = np.arange(1.0, 13.0).reshape(3, 4)
    figure = _figure(7.6, 6.9)
    for axes, mode in zip(figure.subplots(2, 2).flat, MODES, strict=True):
        numbers, _ = framed(mode, picture, padding=2)
        for row, column in product(*map(range, numbers.shape)):
            value = int(numbers[row, column])
            inside = 2 <= row < 5 and 2 <= column < 6
            fill = "white" if value == 0 else colormaps["YlGnBu"](0.08 + 0.04 * value)
            draw_cell(axes, (row, column), str(value), fill, dashed=not inside, bold=inside)
        box(axes, (2, 2), 4, 3, "black", fill=False)
        axes.set(xlim=(-0.1, 8.1), ylim=(7.1, -0.1), aspect="equal")
        axes.axis("off")
        axes.set_title(f'padding_mode="{mode}"', fontsize=11)
    return figure


_FIGURES = {"windows": _windows, "stamps": _stamps, "groups": _groups, "modes": _modes}


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _rows(calls: Sequence[Call]) -> tuple[Figure, list[tuple[Axes, Axes]]]:
    """A figure with a row a call: the call above, two panels below."""
    figure = _figure(7.6, 3.2 * len(calls))
    parts = figure.subfigures(len(calls), 1, squeeze=False)[:, 0]
    rows = []
    for part, call in zip(parts, calls, strict=True):
        part.suptitle(call.torch, fontsize=11, family="monospace")
        left, right = part.subplots(1, 2)
        rows.append((left, right))
    return figure, rows


def _titles(
    left: Axes,
    right: Axes,
    picture: str,
    height: Axis | TransposedAxis,
    width: Axis | TransposedAxis,
) -> None:
    left.set_title(picture, fontsize=10, loc="left")
    right.set_title(f"output {height.output}x{width.output}", fontsize=10, loc="left")
    for axes in (left, right):
        axes.set_aspect("equal")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
        axes.autoscale_view()
    for axes in (left, right):  # one scale for both, so that a cell is a cell
        axes.set(xlim=_span(left, right, 0), ylim=_span(left, right, 1))


def _span(left: Axes, right: Axes, axis: int) -> tuple[float, float]:
    boxes = [axes.dataLim for axes in (left, right)]
    low = min(box.min[axis] for box in boxes) - 0.15
    high = max(box.max[axis] for box in boxes) + 0.15
    return (low, high) if axis == 0 else (high, low)  # rows count downwards


def _next_place(height: Axis, width: Axis) -> Cell:
    """The second place of the window: to the right where there is one, else below."""
    return (0, 1) if width.output > 1 else (1, 0)


def _next_windows(height: Axis, width: Axis) -> Iterable[Cell]:
    row, column = _next_place(height, width)
    return product(height.cells(row), width.cells(column))


def _reached(axis: TransposedAxis) -> range:
    """All cells that are stamped, cut away or kept, and those of the output."""
    return range(-axis.p, max(axis.output, axis.cells(axis.w - 1)[-1] + 1))
