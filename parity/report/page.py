"""The report as one HTML file that needs nothing else: no request leaves it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from parity.report.blocks import Figure
from parity.report.content import Report
from parity.report.interactive import plotly_figure
from parity.report.palette import DARK, LIGHT

_TEMPLATES = Path(__file__).parent / "templates"


def page(report: Report, stills: Mapping[str, bytes]) -> str:
    """The whole text; `stills` are the figures as PNG, by name.

    Jinja2 escapes whatever is not ours; its `htmlsafe_json_dumps` escapes the JSON inside the page.
    """
    import jinja2
    from jinja2.utils import htmlsafe_json_dumps
    from markupsafe import Markup

    charts, figures = _charts(report)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    plots = {"figures": figures, "light": dict(LIGHT), "dark": dict(DARK)}
    return environment.get_template("report.html.j2").render(
        report=report,
        charts=charts,
        stills={name: _base64(content) for name, content in stills.items()},
        base64=_base64,
        kind_of=lambda block: type(block).__name__,
        light=LIGHT,
        dark=DARK,
        colours=_colours,
        style=Markup(_own("style.css")),
        script=Markup(_own("behaviour.js")),
        plotly=Markup(_plotly()) if figures else "",
        plots=htmlsafe_json_dumps(plots) if figures else "",
    )


def _charts(report: Report) -> tuple[dict[str, list[dict[str, str]]], dict[str, Any]]:
    """By figure: the places of its charts on the page; and what plotly draws there."""
    places: dict[str, list[dict[str, str]]] = {}
    figures: dict[str, Any] = {}
    for block in (block for section in report.sections for block in section.blocks):
        if isinstance(block, Figure):
            places[block.name] = []
            for number, chart in enumerate(block.charts):
                place = f"plot-{block.name}-{number}"
                places[block.name].append(
                    {"id": place, "title": chart.title, "alt": f"{chart.title}. {block.alt}"}
                )
                figures[place] = plotly_figure(chart)
    return places, figures


def _own(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _plotly() -> str:
    """plotly.js, as the package brings it. It must not end its script element."""
    from plotly.offline import get_plotlyjs

    return get_plotlyjs().replace("</script", r"<\/script")


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _colours(palette: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in palette.items())
