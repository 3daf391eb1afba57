"""Charts as PNG, for Markdown, for paper and for browsers without scripts."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from parity.report.blocks import Figure
from parity.report.charts import LEAST, MOST, BarChart, Chart, HeatMap, Line, LineChart
from parity.report.palette import LIGHT
from parity.report.words import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def png(figure: Figure) -> bytes:
    """All charts of a figure in one picture, two in a row."""
    from matplotlib.figure import Figure as Canvas

    charts = figure.charts
    across = 1 if len(charts) == 1 else 2
    down = -(-len(charts) // across)
    height = max(map(_height, charts))
    canvas = Canvas(figsize=(10 if across == 1 else 12, height * down), layout="constrained")
    grid = canvas.subplots(down, across, squeeze=False).flat
    for place, axes in enumerate(grid):
        if place < len(charts):
            _draw(axes, charts[place])
        else:
            axes.set_axis_off()
    if figure.notice:
        canvas.supxlabel(
            _literal(figure.notice), color=LIGHT["on-banner"], weight="bold", fontsize=10,
            wrap=True, bbox={"facecolor": LIGHT["banner"], "edgecolor": "none", "pad": 5},
        )  # fmt: skip
    content = io.BytesIO()
    canvas.savefig(content, format="png", dpi=100, metadata={"Software": None})
    return content.getvalue()


def _height(chart: Chart) -> float:
    """Inches."""
    if isinstance(chart, HeatMap):
        return 1.4 + 0.32 * len(chart.rows)
    if isinstance(chart, BarChart):
        return 1.2 + 0.42 * len(chart.bars)
    return 3.6


def _literal(text: str) -> str:
    """Matplotlib reads formulas between dollar signs."""
    return text.replace("$", r"\$")


def _draw(axes: Axes, chart: Chart) -> None:
    axes.set_title(_literal(chart.title), fontsize=11, loc="left")
    if isinstance(chart, LineChart):
        _draw_lines(axes, chart)
    elif isinstance(chart, HeatMap):
        _draw_map(axes, chart)
    else:
        _draw_bars(axes, chart)


def _draw_lines(axes: Axes, chart: LineChart) -> None:
    from matplotlib.ticker import MaxNLocator

    for line in chart.lines:
        _draw_line(axes, line)
    if chart.log:
        axes.set_yscale("log", nonpositive="mask")
    if chart.log_x:
        ticks = sorted({x for line in chart.lines for x in line.x if x is not None})
        axes.set_xscale("log")
        axes.set_xticks(ticks, [f"{x:g}" for x in ticks], minor=False)
        axes.set_xticks([], minor=True)
    elif chart.whole:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(_literal(chart.x_label))
    axes.set_ylabel(_literal(chart.y_label))
    axes.grid(alpha=0.3)
    if any(line.named for line in chart.lines):
        axes.legend(fontsize=8)


def _draw_line(axes: Axes, line: Line) -> None:
    colour = LIGHT[line.role]
    x = [float("nan") if value is None else value for value in line.x]
    if line.low:
        low, high = (
            [float("nan") if v is None else v for v in end] for end in (line.low, line.high)
        )
        axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
    y = [float("nan") if value is None else value for value in line.y]
    label = _literal(line.name) if line.named else None
    axes.plot(x, y, color=colour, linestyle="--" if line.dashed else "-", linewidth=1.5,
              marker="o" if line.marked else None, markersize=3.5, label=label)  # fmt: skip


def _draw_map(axes: Axes, chart: HeatMap) -> None:
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    within = -LEAST / (MOST - LEAST)
    stops = [(0.0, LIGHT["map-low"]), (within - 1e-6, LIGHT["map-high"]),
             (within, LIGHT["map-over"]), (1.0, LIGHT["map-most"])]  # fmt: skip
    colours = LinearSegmentedColormap.from_list("share", stops).with_extremes(bad=LIGHT["map-none"])
    values = np.array(
        [[np.nan if t.value is None else t.value for t in row] for row in chart.tiles]
    )
    norm = Normalize(LEAST, MOST)
    image = axes.imshow(values, cmap=colours, norm=norm, aspect="auto")
    for i, row in enumerate(chart.tiles):
        for j, tile in enumerate(row):
            axes.text(j, i, _literal(tile.text), ha="center", va="center", fontsize=8,
                      color=LIGHT["text"])  # fmt: skip
    axes.set_xticks(range(len(chart.columns)), [_literal(name) for name in chart.columns])
    axes.set_yticks(range(len(chart.rows)), [_literal(shortened(name)) for name in chart.rows])
    bar = axes.figure.colorbar(image, ax=axes, ticks=[-6, -4, -2, 0, 2])
    bar.ax.set_yticklabels(["1e-6", "1e-4", "1 %", "all", "100 x"])
    bar.set_label("share of what is allowed")


def _draw_bars(axes: Axes, chart: BarChart) -> None:
    values = [bar.value for bar in chart.bars]
    axes.barh(range(len(values)), values, color=[LIGHT[bar.role] for bar in chart.bars])
    ends = [max(bar.value, bar.high or 0) for bar in chart.bars]
    for place, (bar, end) in enumerate(zip(chart.bars, ends, strict=True)):
        low = bar.value if bar.low is None else bar.low
        high = bar.value if bar.high is None else bar.high
        axes.plot([low, high], [place, place], color=LIGHT["text"], linewidth=1.5)
        axes.text(end, place, f"  {_literal(bar.text)}", va="center", fontsize=8)
    axes.set_yticks(range(len(values)), [_literal(bar.name) for bar in chart.bars], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.25 * max(ends, default=1) or 1)
    axes.set_xlabel(_literal(chart.label))
    axes.grid(alpha=0.3, axis="x")
