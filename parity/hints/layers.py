"""Layers that compute something else with the same weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from parity.hints.arrays import match, ratio, same, shown
from parity.stages.case import Case
from parity.verdict import Departure, Hint

_LARGEST = 2_000_000
"""Outputs times kernel elements of one example above which no convolution is tried in NumPy."""


def kernel(case: Case, departure: Departure) -> Hint | None:
    """7: a convolution's kernel with height and width swapped, or turned round."""
    row, structure = departure.row, case.structure
    if row is None or "/exit/" not in row.name or structure is None:
        return None
    module = next((m for m in structure.modules if m.path == departure.layer), None)
    if module is None or "torch.nn.Conv2d" not in module.kinds:
        return None
    names = case.names(row.name.replace("/exit/", "/enter/").rpartition("/")[0])
    weight, port = case.truth.get(f"weight/{module.path}.weight"), case.port.get(row.name)
    if not names or weight is None or port is None:
        return None
    given = case.truth[names[0]]
    bias = case.truth.get(f"weight/{module.path}.bias", np.zeros(len(weight)))
    variants = {
        "swapping height and width of its kernel": weight.swapaxes(2, 3),
        "turning its kernel round (convolution instead of correlation)": weight[:, :, ::-1, ::-1],
    }
    for words, other in variants.items():
        expected = convolve(given[:1], other, bias, module.settings)
        if expected is not None and same(expected, port[:1].astype(np.float64), match(case)):
            return Hint(bug=7, text=f"{words} makes {module.path} agree: the layout of its weight")
    return None


def convolve(
    given: np.ndarray, weight: np.ndarray, bias: np.ndarray, settings: Mapping[str, Any]
) -> np.ndarray | None:
    """A two-dimensional correlation (n, c, h, w) x (o, c, kh, kw); None for what is not plain."""
    padding, mode = settings.get("padding", 0), settings.get("padding_mode", "zeros")
    if settings.get("groups", 1) != 1 or mode != "zeros" or isinstance(padding, str):
        return None
    (sh, sw), (ph, pw), (dh, dw) = (
        _both(settings.get(name, default))
        for name, default in (("stride", 1), ("padding", 0), ("dilation", 1))
    )
    kh, kw = weight.shape[2:]
    padded = np.pad(given.astype(np.float64), ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    span = ((kh - 1) * dh + 1, (kw - 1) * dw + 1)
    if padded.shape[2] < span[0] or padded.shape[3] < span[1]:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(padded, span, (2, 3))
    windows = windows[:, :, ::sh, ::sw, ::dh, ::dw]
    if windows.size > _LARGEST:
        return None
    found = np.einsum("nchwij,ocij->nohw", windows, weight.astype(np.float64))
    return found + bias.astype(np.float64)[:, None, None]


def factor(case: Case, departure: Departure) -> Hint | None:
    """The port is a constant times the reference."""
    found = shown(case, departure)
    if found is None or found[0].size < 2:
        return None
    times = ratio(*found, match(case))
    if times is None:
        return None
    known = {
        255 / 256: (54, "divided by 256 instead of 255"),
        256 / 255: (54, "/ 255 against / 256"),
    }
    bug, words = next(
        (entry for value, entry in known.items() if abs(times / value - 1) < 1e-6), (0, "a factor")
    )
    return Hint(bug=bug, text=f"the port is {times:.6g} times the reference everywhere: {words}")


def _both(value: Any) -> tuple[int, int]:
    pair = value if isinstance(value, list | tuple) else (value, value)
    return int(pair[0]), int(pair[-1])
