"""docs/convolution.md says what both frameworks do: it is what running its calls writes."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from examples.convolution_page.__main__ import DOCS, main
from examples.convolution_page.drawing import MODES
from examples.convolution_page.geometry import axes_of
from examples.convolution_page.measurement import connections, framed, measure, torch_layer
from examples.convolution_page.more_options import LOOKALIKES, MORE_OPTIONS
from examples.convolution_page.options import OPTIONS, Call

CALLS = [call for option in (*OPTIONS, *MORE_OPTIONS) for call in option.calls]
TOLERANCE = 1e-12

# PyTorch says, once a process, that an even kernel with 'same' costs a copy of the input.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the page and its pictures are written into now."""
    folder = tmp_path_factory.mktemp("docs")
    assert main(["--out", str(folder)]) == 0
    return folder


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.torch)
def test_both_spellings_and_the_formula_agree(call: Call) -> None:
    found = measure(call)
    by_formula, there, here = found.sizes
    assert by_formula == there == here
    assert found.torch_output.dtype == found.flax_output.dtype == np.float64
    assert np.ptp(found.torch_output) > 1
    assert found.error <= TOLERANCE


def test_lookalikes_are_told_apart_and_one_of_them_only_by_an_even_size() -> None:
    errors = [measure(lookalike.call).error for lookalike in LOOKALIKES]
    agreeing = [e <= TOLERANCE for e in errors]
    assert agreeing == [False, False, True, False, False, False]
    even, odd = LOOKALIKES[1].call, LOOKALIKES[2].call
    assert (even.torch, even.flax) == (odd.torch, odd.flax)
    assert all(e > 0.1 for e, agrees in zip(errors, agreeing, strict=True) if not agrees)


ZERO_PADDED = [
    call
    for call in CALLS
    if len(call.sizes) == 2 and getattr(torch_layer(call), "padding_mode", "zeros") == "zeros"
]


@pytest.mark.parametrize("call", ZERO_PADDED, ids=lambda call: call.torch)
def test_windows_are_drawn_where_pytorch_looks(call: Call) -> None:
    """By the gradient: the cells that a place of the output depends on, or is stamped on."""
    layer = torch_layer(call)
    torch.nn.init.ones_(layer.weight)
    picture = torch.zeros(1, layer.in_channels, *call.sizes, requires_grad=True)
    output = layer(picture)[0].sum(0)
    height, width = axes_of(layer, call.sizes)
    drawn, found = set(), set()
    for place in product(range(height.output), range(width.output)):
        (gradient,) = torch.autograd.grad(output[place], picture, retain_graph=True)
        looked_at = torch.nonzero(gradient[0].sum(0)).tolist()
        found |= {(place, tuple(cell)) for cell in looked_at}
    if layer.transposed:
        for cell in product(*map(range, call.sizes)):
            stamped = product(height.cells(cell[0]), width.cells(cell[1]))
            drawn |= {(place, cell) for place in stamped if _inside(place, output.shape)}
    else:
        for place in product(range(height.output), range(width.output)):
            window = product(height.cells(place[0]), width.cells(place[1]))
            drawn |= {(place, cell) for cell in window if _inside(cell, call.sizes)}
    assert drawn == found


def test_groups_are_drawn_as_both_frameworks_connect_them() -> None:
    (option,) = [option for option in OPTIONS if option.drawn == "groups"]
    for call, groups in zip(option.calls, (1, 2, 4), strict=True):
        there, here = connections(call)
        expected = np.kron(np.eye(groups), np.ones((8 // groups, 4 // groups))).astype(bool)
        np.testing.assert_array_equal(there, expected)
        np.testing.assert_array_equal(here, expected)


@pytest.mark.parametrize("mode", MODES)
def test_frames_are_drawn_as_both_frameworks_pad(mode: str) -> None:
    picture = np.arange(1.0, 13.0).reshape(3, 4)
    there, here = framed(mode, picture, padding=2)
    names = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    expected = np.pad(picture, 2, mode=names[mode])
    np.testing.assert_array_equal(there, expected)
    np.testing.assert_array_equal(here, expected)


def test_committed_page_is_what_is_written_now(written: Path) -> None:
    committed = (DOCS / "convolution.md").read_text()
    assert _without_rounding((written / "convolution.md").read_text()) == _without_rounding(
        committed
    )
    assert "largest difference" in committed
    assert "| 1.3e+00 |" in _without_rounding(committed)  # what no rounding explains stays


def test_committed_pictures_are_what_is_drawn_now(written: Path) -> None:
    names = sorted(path.name for path in (written / "figures").iterdir())
    assert names == sorted(path.name for path in (DOCS / "figures").glob("convolution_*"))
    shown = re.findall(r"\(figures/(.*?)\)", (written / "convolution.md").read_text())
    assert sorted(shown) == names
    for name in names:
        now, before = (_pixels(folder / "figures" / name) for folder in (written, DOCS))
        assert now.shape == before.shape
        # Not a bit may move but for the edges of letters, which other font libraries smooth.
        assert np.abs(now - before).mean() < 0.5


def _without_rounding(page: str) -> str:
    """The page with every difference of rounding's size as one word: machines round otherwise."""

    def masked(cell: re.Match[str]) -> str:
        return " rounding |\n" if float(cell[1]) <= TOLERANCE else cell[0]

    return re.sub(r" (0|\d\.\de[-+]\d\d) \|\n", masked, page)


def _inside(cell: tuple[int, ...], sizes: tuple[int, ...]) -> bool:
    return all(0 <= place < size for place, size in zip(cell, sizes, strict=True))


def _pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"), np.float64)
