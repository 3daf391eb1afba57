"""Charts as plotly figures. Colours are names of `palette`; the page's script puts the values in.

Titles stand above the plots, on the page.

plotly reads a little HTML in every text (`<b>`, `<a>`), so what comes from pairs is escaped here.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from math import isfinite
from typing import Any

from parity.report.charts import (
    LEAST,
    MOST,
    Bar,
    BarChart,
    Chart,
    HeatMap,
    Line,
    LineChart,
    Values,
)
from parity.report.words import shortened


def colour(name: str) -> str:
    """A colour of the palette by name, as the page's script finds it."""
    return f"palette:{name}"


def plotly_figure(chart: Chart) -> dict[str, Any]:
    """`data` and `layout` as JSON knows them.

    plotly's own classes check them; a wrong property raises `ValueError`.
    """
    import plotly.graph_objects as go

    if isinstance(chart, LineChart):
        data, layout = _lines(chart)
    elif isinstance(chart, HeatMap):
        data, layout = _map(chart)
    else:
        data, layout = _bars(chart)
    checked = go.Figure(data=_neutral(data), layout=_neutral(layout))
    assert len(checked.data) == len(data)
    return json.loads(json.dumps({"data": data, "layout": layout}, allow_nan=False))


def _neutral(value: Any) -> Any:
    """With a real colour where the page's script puts one: plotly's classes know no names."""
    if isinstance(value, dict):
        return {key: _neutral(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_neutral(item) for item in value]
    return "#000000" if isinstance(value, str) and value.startswith("palette:") else value


def _plain(text: str) -> str:
    return html.escape(text, quote=False)


def _axis(label: str, **more: Any) -> dict[str, Any]:
    return {
        "title": {"text": _plain(label)},
        "gridcolor": colour("grid"),
        "zerolinecolor": colour("grid"),
        "linecolor": colour("line"),
        "automargin": True,
        **more,
    }


def _layout(**more: Any) -> dict[str, Any]:
    return {
        "paper_bgcolor": colour("ground"),
        "plot_bgcolor": colour("ground"),
        "font": {"color": colour("text"), "family": "system-ui, sans-serif", "size": 13},
        "hoverlabel": {"bgcolor": colour("raised"), "bordercolor": colour("line"),
                       "font": {"color": colour("text")}, "align": "left", "namelength": -1},
        "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
        "height": 360,
        **more,
    }  # fmt: skip


def _lines(chart: LineChart) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    data = [trace for line in chart.lines for trace in _line(line, chart)]
    kind = {"type": "log", "exponentformat": "power", "dtick": 1} if chart.log else {}
    across: dict[str, Any] = {"tickformat": ",d"} if chart.whole else {}
    if chart.whole and len({x for line in chart.lines for x in line.x}) < 12:
        across["dtick"] = 1
    if chart.log_x:
        ticks = sorted({x for line in chart.lines for x in line.x if x is not None})
        across = {"type": "log", "tickvals": ticks, "ticktext": [f"{x:g}" for x in ticks]}
    return data, _layout(
        xaxis=_axis(chart.x_label, **across),
        yaxis=_axis(chart.y_label, **kind),
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
        hovermode="x unified" if chart.whole else "closest",
    )


def _line(line: Line, chart: LineChart) -> Iterable[dict[str, Any]]:
    if line.low:
        band = {
            "type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip",
            "showlegend": False, "legendgroup": line.name,
        }  # fmt: skip
        yield {**band, "x": list(line.x), "y": _shown(line.low, chart.log)}
        yield {**band, "x": list(line.x), "y": _shown(line.high, chart.log), "fill": "tonexty",
               "fillcolor": colour(f"{line.role}-band")}  # fmt: skip
    yield {
        "type": "scatter",
        "mode": "lines+markers" if line.marked else "lines",
        "name": _plain(line.name),
        "legendgroup": line.name,
        "showlegend": line.named,
        "x": list(line.x),
        "y": _shown(line.y, chart.log),
        "line": {
            "color": colour(line.role),
            "dash": "dash" if line.dashed else "solid",
            "width": 2,
        },
        "marker": {"color": colour(line.role), "size": 6},
    }


def _shown(values: Values, log: bool) -> list[float | None]:
    """With gaps where there is nothing to draw."""
    return [v if v is not None and isfinite(v) and (v > 0 or not log) else None for v in values]


def _map(chart: HeatMap) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    within = -LEAST / (MOST - LEAST)
    data = [
        {
            "type": "heatmap",
            "x": [_plain(name) for name in chart.columns],
            "y": list(range(len(chart.rows))),
            "z": [[None if t.value is None else min(max(t.value, LEAST), MOST) for t in row]
                  for row in chart.tiles],
            "text": [[_plain(tile.text) for tile in row] for row in chart.tiles],
            "customdata": [["<br>".join(map(_plain, t.hover)) for t in row] for row in chart.tiles],
            "texttemplate": "%{text}",
            "textfont": {"color": colour("text")},
            "hovertemplate": "%{customdata}<extra></extra>",
            "hoverongaps": True,
            "zmin": LEAST,
            "zmax": MOST,
            "xgap": 2,
            "ygap": 2,
            "colorscale": [[0, colour("map-low")], [within - 1e-6, colour("map-high")],
                           [within, colour("map-over")], [1, colour("map-most")]],
            "colorbar": {"title": {"text": "share of<br>what is allowed"},
                         "tickvals": [-6, -4, -2, 0, 2],
                         "ticktext": ["1e-6", "1e-4", "1 %", "all", "100 x"], "outlinewidth": 0},
        }
    ]  # fmt: skip
    return data, _layout(
        height=max(220, 90 + 32 * len(chart.rows)),
        xaxis=_axis("", side="top", fixedrange=True),
        yaxis=_axis(
            "",
            autorange="reversed",
            tickvals=list(range(len(chart.rows))),
            ticktext=[_plain(shortened(name)) for name in chart.rows],
            zeroline=False,
        ),
        margin={"l": 10, "r": 10, "t": 60, "b": 10},
    )


def _bars(chart: BarChart) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    bars = chart.bars
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "x": [bar.value for bar in bars],
            "y": [_plain(bar.name) for bar in bars],
            "customdata": [_plain(bar.text) for bar in bars],
            "hovertemplate": "%{y}: %{customdata}<extra></extra>",
            "marker": {"color": [colour(bar.role) for bar in bars]},
            "error_x": {
                "type": "data", "symmetric": False, "color": colour("text"), "thickness": 1,
                "array": [(b.value if b.high is None else b.high) - b.value for b in bars],
                "arrayminus": [b.value - (b.value if b.low is None else b.low) for b in bars],
            },
        }
    ]  # fmt: skip
    return data, _layout(
        height=90 + 40 * len(bars),
        xaxis=_axis(chart.label, range=[0, 1.45 * max((_end(bar) for bar in bars), default=1)]),
        yaxis=_axis("", autorange="reversed", type="category"),
        showlegend=False,
        annotations=[
            {"x": _end(bar), "y": _plain(bar.name), "text": _plain(bar.text), "showarrow": False,
             "xanchor": "left", "xshift": 6}
            for bar in bars
        ],
    )  # fmt: skip


def _end(bar: Bar) -> float:
    return bar.value if bar.high is None else bar.high
