"""The page in a real browser: no request, no complaint, and plots that answer the mouse."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import made
import numpy as np
import pytest
from PIL import Image

from experiment.cifar10 import load
from parity.report.inputs import Inputs, read_inputs
from parity.report.palette import DARK, LIGHT
from parity.report.write import write_report

SECTIONS = (
    "answer", "stages", "layers", "curves", "divergence", "init", "speed", "bugs", "wall",
    "sources", "provenance", "exceptions",
)  # fmt: skip
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 800}

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium"
)


@dataclass
class Opened:
    """A page, and what it said and asked for."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def drawn(self) -> Opened:
        """Scroll through it, until every plot is there."""
        self.page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
        for plot in self.page.query_selector_all(".plot"):
            plot.scroll_into_view_if_needed()
        self.page.wait_for_function(
            "[...document.querySelectorAll('.plot')].every((one) => one.querySelector('.main-svg'))"
        )
        return self


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a screen."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def see(browser: Any) -> Callable[..., Opened]:
    """Open a file."""

    def opened(file: Path, **how: Any) -> Opened:
        page = browser.new_context(
            **{"viewport": WIDE, "reduced_motion": "reduce", **how}
        ).new_page()
        found = Opened(page)
        page.on("console", lambda message: found.said.append(message.text))
        page.on("pageerror", lambda error: found.said.append(str(error)))
        page.on("request", lambda request: found.asked.append(request.url))
        page.goto(file.as_uri())
        return found

    return opened


@needs_chromium
def test_page_opens_offline_with_everything_on_it(report: Path, see: Callable[..., Opened]) -> None:
    opened = see(report).drawn()
    page = opened.page
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith("data:")] == [report.as_uri()]
    assert report.stat().st_size < 8_000_000
    found = page.eval_on_selector_all("main > section", "all => all.map((one) => one.id)")
    assert tuple(found) == SECTIONS
    assert page.is_visible(".banner >> text=SYNTHETIC")
    assert page.locator(".wall li").count() == 4
    assert "disagree" in page.locator(".wall li").first.inner_text()
    images = "all => all.filter((one) => !one.complete || !one.naturalWidth).length"
    assert page.eval_on_selector_all("img", images) == 0
    nameless = "all => all.filter((one) => !(one.alt || one.ariaLabel)).length"
    assert page.eval_on_selector_all("img, .plot", nameless) == 0


@needs_chromium
def test_hover_names_the_tensor_its_shape_and_what_it_needed(
    report: Path, see: Callable[..., Opened]
) -> None:
    page = see(report).drawn().page
    said = _hover(page, 1 / 12, 1 / 4)
    for part in ("fc1 (Linear)", "output of fc1", "shape [2, 3]", "introduced 10 ulp", "needed"):
        assert part in said
    assert "1.0e-11, allowed 1.0e-10" in said


@needs_chromium
def test_phone_shows_all_of_it_without_scrolling_sideways(
    report: Path, see: Callable[..., Opened], tmp_path: Path
) -> None:
    page = see(report, viewport=PHONE).drawn().page
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    widths = "all => all.map((one) => one.getBoundingClientRect().right)"
    assert max(page.eval_on_selector_all(".plot .main-svg, .wall li, nav", widths)) <= 390
    page.screenshot(path=tmp_path / "phone.png", full_page=True)
    assert _darkness(tmp_path / "phone.png") < 0.2


@needs_chromium
def test_dark_mode_darkens_plots_too_and_follows_a_change(
    report: Path, see: Callable[..., Opened], tmp_path: Path
) -> None:
    page = see(report, color_scheme="dark").drawn().page
    page.screenshot(path=tmp_path / "dark.png", full_page=True)
    assert _darkness(tmp_path / "dark.png") > 0.8
    ground = "one => getComputedStyle(one.querySelector('.main-svg')).backgroundColor"
    assert page.eval_on_selector(".plot", ground) == _rgb(DARK["ground"])
    page.emulate_media(color_scheme="light")
    page.wait_for_function(
        "(colour) => getComputedStyle(document.querySelector('.plot .main-svg')).backgroundColor"
        " === colour",
        arg=_rgb(LIGHT["ground"]),
    )


@needs_chromium
def test_keyboard_reaches_the_sections_and_every_table(
    report: Path, see: Callable[..., Opened]
) -> None:
    page = see(report).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.url.endswith("#answer")
    unreachable = "all => all.filter((one) => one.tabIndex !== 0).length"
    assert page.eval_on_selector_all(".scroll, summary, nav a", unreachable) == 0
    page.focus("#layers summary")
    page.keyboard.press("Enter")
    assert page.is_visible("#layers table")


@needs_chromium
def test_paper_and_browsers_without_scripts_get_still_pictures(
    report: Path, see: Callable[..., Opened]
) -> None:
    page = see(report, java_script_enabled=False).page
    assert page.is_visible("#layers .still")
    assert not page.is_visible("#layers .plot")
    page = see(report, color_scheme="dark").drawn().page
    page.emulate_media(media="print", color_scheme="dark")
    assert page.is_visible("#curves .still")
    assert not page.is_visible("#curves .plot")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == _rgb(LIGHT["ground"])


@needs_chromium
def test_names_from_a_pair_run_no_script(tmp_path: Path, see: Callable[..., Opened]) -> None:
    attack = '"><img src=x onerror=alert(1)></script><script>alert(2)</script><a href="//x.y">b</a>'
    row = made.rows(1e-10)[0].__class__(
        name=attack, what=attack, layer=attack, shape=(1,), limit=1e-10, introduced=1e-3,
        introduced_ulps=9.0, needed=1e-3, status="departs",
    )  # fmt: skip
    departing = made.departing(attack)
    result = departing.results[0]
    hostile = made.verdict(
        attack,
        results=(type(result)(**{**vars(result), "rows": (row,)}),),
        layers=(type(made.verdict().layers[0])(path=attack, kind=attack, port_path=attack),),
        waivers=(attack,),
        config={"reference": {attack: attack}, "port": {attack: "other"}},
        sources={side: {"module": attack, "file": attack, "text": attack}
                 for side in ("reference", "port")},
    )  # fmt: skip
    opened = see(write_report(tmp_path, Inputs(verdict=hostile), None)).drawn()
    page = opened.page
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    assert "<script>alert(2)" in _hover(page, 1 / 2, 1 / 2)
    assert dialogs == []
    assert opened.said == []
    assert len(opened.asked) <= 2
    assert page.locator("img[src=x]").count() == 0
    assert page.locator("a[href*='x.y']").count() == 0
    assert page.locator("svg a").count() == 0  # plotly would make links of what looks like one
    assert "<script>alert(2)" in page.locator("h1").inner_text()
    assert "<script" not in (tmp_path / "report.md").read_text()


def test_pictures_of_the_wall_are_the_test_pictures(folder: Path, small_cifar10: Path) -> None:
    import io

    from parity.report.sections.wall import read_pictures, wall

    trained = read_inputs([folder]).curves
    assert trained is not None
    block = wall(trained, read_pictures(trained, None)).blocks[1]
    expected = load(str(small_cifar10)).test_images
    for picture, prediction in zip(block.pictures, trained.wall.predictions, strict=True):
        shown = np.asarray(Image.open(io.BytesIO(picture.png)))
        np.testing.assert_array_equal(shown, expected[prediction.index])
    assert [picture.agrees for picture in block.pictures] == [False, False, True, True]


def _hover(page: Any, across: float, down: float) -> str:
    """What the layer map says where the mouse is."""
    plot = page.locator("#plot-layers-0")
    plot.scroll_into_view_if_needed()
    box = plot.locator(".nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * across, box["y"] + box["height"] * down)
    page.wait_for_selector("#plot-layers-0 .hoverlayer .hovertext")
    return plot.locator(".hoverlayer").text_content()


def _darkness(file: Path) -> float:
    """Share of the picture's points that are dark."""
    return float(np.mean(np.asarray(Image.open(file).convert("L")) < 100))


def _rgb(colour: str) -> str:
    return "rgb({}, {}, {})".format(*(int(colour[i : i + 2], 16) for i in (1, 3, 5)))
