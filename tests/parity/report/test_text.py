"""What the report says, in HTML and in Markdown."""

from __future__ import annotations

import dataclasses
import math
import re
from itertools import product
from pathlib import Path

import made
import numpy as np
import pytest
import recorded

from parity.curves.results import Results
from parity.report.blocks import Figure, Table
from parity.report.content import compose
from parity.report.drawing import png
from parity.report.inputs import Inputs, read_inputs
from parity.report.markdown import markdown
from parity.report.palette import DARK, LIGHT, LINES, MAP, TEXTS, contrast
from parity.report.sections.answer import conclusion
from parity.report.sections.layer_map import layer_map
from parity.report.sections.sources import side_by_side
from parity.report.write import write_report


def curves(outcome: str, shared: str = "inside") -> Results:
    found = recorded.results(outcome=outcome)
    return dataclasses.replace(found, shared=dataclasses.replace(found.shared, outcome=shared))


@pytest.mark.parametrize(
    ("inputs", "beginning", "mark"),
    [
        (Inputs(verdict=made.verdict()), "Equivalent: every stage", "good"),
        (Inputs(verdict=made.departing("fc2 departs")), "Not equivalent: my_pair.py departs first "
         "at forward (float64): fc2 departs", "bad"),
        (Inputs(curves=curves("different")), "Not equivalent", "bad"),
        (Inputs(curves=curves("equivalent", "outside")), "Not equivalent", "bad"),
        (Inputs(curves=curves("not enough runs to decide")), "Not enough trainings", "warn"),
        (Inputs(verdict=made.verdict(), curves=curves("not enough runs to decide")),
         "Equivalent step by step", "good"),
        (Inputs(verdict=made.verdict(), curves=curves("different")), "Not equivalent", "bad"),
        (Inputs(scorecard=made.scorecard()), "Nothing here says", "warn"),
        (Inputs(verdict=made.verdict(results=())), "Nothing here says", "warn"),
    ],
)  # fmt: skip
def test_answer_is_one_sentence(inputs: Inputs, beginning: str, mark: str) -> None:
    text, found = conclusion(inputs)
    assert text.startswith(beginning)
    assert found == mark


def test_too_few_runs_never_read_as_equivalence() -> None:
    text, _ = conclusion(Inputs(curves=curves("not enough runs to decide")))
    assert "equivalent in" not in text.lower()
    both, _ = conclusion(Inputs(verdict=made.verdict(), curves=curves("not enough runs to decide")))
    assert "whole trainings: not enough runs to decide" in both


def test_map_takes_the_worst_of_each_layer_against_what_is_allowed() -> None:
    figure, table = layer_map(made.verdict(), None).blocks
    assert isinstance(figure, Figure)
    assert isinstance(table, Table)
    chart = figure.charts[0]
    assert chart.columns[:3] == ("forward, float64", "gradient, float64", "update, float64")
    assert [[round(tile.value, 6) for tile in row] for row in chart.tiles] == [
        [-1.0] * 6,
        [-3.0] * 6,
    ]
    assert chart.tiles[0][0].text == "10"
    assert len(table.rows) == 12


def test_departing_layer_is_red_and_nan_is_no_rounding() -> None:
    for introduced in (1e-3, math.inf, math.nan):
        row = dataclasses.replace(made.rows(1e-10)[0], introduced=introduced)
        result = dataclasses.replace(made.verdict().results[0], rows=(row,))
        figure = layer_map(made.verdict(results=(result,)), None).blocks[0]
        assert isinstance(figure, Figure)
        assert figure.charts[0].tiles[0][0].value > 0


def test_page_takes_numbers_that_are_none(tmp_path: Path) -> None:
    spread = made.verdict().distributions[0].reference
    assert spread is not None
    broken = dataclasses.replace(
        spread, mean=math.nan, quantiles=(math.nan, math.inf, -math.inf) * 5
    )
    row = dataclasses.replace(made.rows(1e-10)[0], introduced=math.nan, introduced_ulps=math.inf)
    result = dataclasses.replace(made.verdict().results[0], rows=(row,), needed=math.inf)
    one = dataclasses.replace(made.verdict().distributions[0], reference=broken, port=None)
    found = made.verdict(results=(result,), distributions=(one,))
    assert "inf" in write_report(tmp_path, Inputs(verdict=found), None).read_text()


def test_interrupted_benchmarks_say_so() -> None:
    whole = made.benchmarks()
    begun = dataclasses.replace(whole.rows[1], seconds=())
    found = dataclasses.replace(whole, finished=False, rows=(whole.rows[0], begun))
    text = markdown(compose(Inputs(benchmarks=(found,)), None))
    assert "interrupted: rows are missing" in text
    assert "not measured: interrupted before its first repeat" in text


def test_matching_lines_of_both_sources_stand_beside_each_other() -> None:
    ours = {"module": "a", "file": "a.py", "text": "import torch\n\nx = 1\ny = 2\n"}
    theirs = {"module": "b", "file": "b.py", "text": "x = 1\nz = 3\nw = 4\n"}
    found = side_by_side(ours, theirs)
    pairs = list(zip(found.reference.lines, found.port.lines, strict=True))
    assert pairs[:3] == [(("1", "import torch"), ("", "")), (("2", ""), ("", "")),
                         (("3", "x = 1"), ("1", "x = 1"))]  # fmt: skip
    assert found.reference.same == (False, False, True, False, False)
    assert [number for number, _ in found.port.lines if number] == ["1", "2", "3"]


def test_markdown_has_every_section_and_its_figures(folder: Path, tmp_path: Path) -> None:
    inputs = read_inputs([folder])
    write_report(tmp_path / "out", inputs, np.zeros((4, 32, 32, 3), np.uint8))
    text = (tmp_path / "out" / "report.md").read_text()
    report = compose(inputs, None)
    positions = [text.index(f"\n## {section.title}\n") for section in report.sections]
    assert positions == sorted(positions)
    pictures = re.findall(r"!\[.+?\]\((figures/[a-z-]+\.png)\)", text)
    assert len(pictures) == 5
    for picture in pictures:
        assert (tmp_path / "out" / picture).read_bytes().startswith(b"\x89PNG")
    assert "SYNTHETIC, not CIFAR-10" in text.split("\n## ")[0]


def test_markdown_keeps_foreign_text_text() -> None:
    departing = made.departing("<script>alert(1)</script> [a](b) |")
    text = markdown(compose(Inputs(verdict=departing), None))
    assert "<script" not in text
    assert "[a](b)" not in text
    rows = [line for line in text.splitlines() if line.startswith("| forward")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 7 for row in rows)


def test_figures_take_names_with_dollar_signs() -> None:
    layer = dataclasses.replace(made.verdict().layers[0], path="fc1", kind="a.$x_{")
    figure = layer_map(made.verdict(layers=(layer,)), "costs $5 or $6").blocks[0]
    assert isinstance(figure, Figure)
    assert png(figure).startswith(b"\x89PNG")


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_have_the_contrast_of_wcag_aa(palette: dict[str, str]) -> None:
    for text, ground in product(TEXTS, ("ground", "raised")):
        assert contrast(palette[text], palette[ground]) >= 4.5, (text, ground)
    for line in LINES:
        assert contrast(palette[line], palette["ground"]) >= 3, line
    for tile in MAP:
        assert contrast(palette["text"], palette[tile]) >= 4.5, tile
    assert contrast(palette["on-banner"], palette["banner"]) >= 4.5
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
