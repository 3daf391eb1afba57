"""Convolutions and poolings with padding, dilation, groups or flips of another kind."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from parity.hints.arrays import match, same
from parity.hints.operations import Operation, operation
from parity.hints.windows import Pads, correlate, correlate_transposed, per_axis, pool, same_pads
from parity.stages.case import Case
from parity.verdict import Departure, Hint

_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}

Variant = tuple[int, str, np.ndarray | None]
"""The bug's number, what the port does, and what the first example would be."""


def convolution(case: Case, departure: Departure) -> Hint | None:
    """10 to 16: what a known mistake would make of the oracle's input is what the port has."""
    found = operation(case, departure)
    if found is None or found.given.ndim < 3:
        return None
    if found.is_a("Conv"):
        variants = _convolutions(case, found)
    elif found.is_a("ConvTranspose"):
        variants = _transposed(case, found)
    elif found.is_a("MaxPool", "AvgPool"):
        variants = _poolings(found)
    else:
        return None
    for bug, words, expected in variants:
        if expected is not None and same(expected, found.port[:1], match(case)):
            return Hint(bug=bug, text=f"the port has {found.path} {words}")
    return None


def _convolutions(case: Case, found: Operation) -> Iterator[Variant]:
    """10, 15, 16"""
    weight, s = found.parameter(case, "weight"), found.settings
    if weight is None:
        return
    x, window, groups = found.given[:1], weight.shape[2:], int(s.get("groups", 1))
    stride, dilation = (per_axis(s.get(name, 1), len(window)) for name in ("stride", "dilation"))
    ones, mode = (1,) * len(window), s.get("padding_mode", "zeros")
    pads = _pads(s.get("padding", 0), window, dilation)
    bias = found.parameter(case, "bias")

    def made(pads: Pads, by: tuple[int, ...] = dilation, mode: str = mode) -> np.ndarray | None:
        y = correlate(x, weight, stride, pads, by, groups, _MODES[mode])
        return _biased(y, bias)

    if groups > 1:
        words = "with the channels of its groups in turns, not group after group"
        y = found.returned[:1]
        yield 15, words, _in_turns(y, groups)
        if bias is not None:  # added after they were put in turns
            added = _biased(np.zeros_like(y), bias)
            yield 15, words, _in_turns(y - added, groups) + added
    if mode != "zeros":
        yield 16, f"padded with zeros: padding_mode is {mode!r} in the reference", made(
            pads, mode="zeros"
        )  # fmt: skip
    if dilation != ones:
        shorter = same_pads(x.shape[2:], window, stride, ones)
        for padding in (pads, shorter):
            yield 15, "without its dilation (kernel_dilation in Flax)", made(padding, ones)
    if mode == "zeros":
        like = same_pads(x.shape[2:], window, stride, dilation)
        text = f"padded 'SAME', here {list(like)}; PyTorch pads {list(pads)}: say that in numbers"
        yield 10, text, made(like)


def _transposed(case: Case, found: Operation) -> Iterator[Variant]:
    """13, 14"""
    weight, s = found.parameter(case, "weight"), found.settings
    if weight is None:
        return
    window = weight.shape[2:]
    stride, dilation, padding, added = (
        per_axis(s.get(name, default), len(window))
        for name, default in (("stride", 1), ("dilation", 1), ("padding", 0), ("output_padding", 0))
    )
    bias, groups = found.parameter(case, "bias"), int(s.get("groups", 1))
    reach = [d * (k - 1) for d, k in zip(dilation, window, strict=True)]
    right = [(r - p, r - p + q) for r, p, q in zip(reach, padding, added, strict=True)]

    def made(pads: Pads, flipped: bool = True) -> np.ndarray | None:
        x = found.given[:1]
        y = correlate_transposed(x, weight, stride, pads, dilation, groups, flipped)
        return _biased(y, bias)

    yield 13, "without flipping its kernel: transpose_kernel=True does", made(right, False)
    others = {
        "PyTorch's padding as padding of its input": [(p, p) for p in padding],
        "PyTorch's padding and output_padding as padding of its input": [
            (p, p + q) for p, q in zip(padding, added, strict=True)
        ],
        "its padding 'SAME'": _same_transposed(reach, stride),
    }
    for words, pads in others.items():
        text = f"with {words}: {list(pads)}; d (k - 1) - p is {right}"
        yield 14, text, made(pads)
        yield 13, f"without flipping its kernel, and {text}", made(pads, False)


def _poolings(found: Operation) -> Iterator[Variant]:
    """11, 12"""
    s, x = found.settings, found.given[:1]
    axes = x.ndim - 2
    window = per_axis(s.get("kernel_size", 1), axes)
    stride = per_axis(s.get("stride") or window, axes)
    dilation = per_axis(s.get("dilation", 1), axes)
    pads = [(p, p) for p in per_axis(s.get("padding", 0), axes)]
    like = same_pads(x.shape[2:], window, stride, dilation)
    text = f"padded 'SAME', here {list(like)}; PyTorch pads {pads}: say that in numbers"
    if found.is_a("MaxPool"):
        yield 11, text, pool(x, window, stride, like, dilation, -np.inf, mean=False)
        yield 11, "padded with zeros, not with -inf", pool(
            x, window, stride, pads, dilation, 0.0, mean=False
        )  # fmt: skip
        return
    counts = bool(s.get("count_include_pad", True))
    fills = {False: np.nan, True: 0.0}
    said = {True: "counting the padding", False: "without counting the padding"}
    text12 = f"{said[not counts]}; count_include_pad is {counts} in the reference"
    yield 12, text12, pool(x, window, stride, pads, dilation, fills[not counts], mean=True)
    yield 11, text, pool(x, window, stride, like, dilation, fills[counts], mean=True)
    yield 12, f"{text12}, and {text}", pool(
        x, window, stride, like, dilation, fills[not counts], mean=True
    )  # fmt: skip


def _pads(padding: object, window: tuple[int, ...], dilation: tuple[int, ...]) -> Pads:
    """PyTorch's padding of a convolution; its 'same' has an odd one behind."""
    if padding == "same":
        totals = [d * (k - 1) for d, k in zip(dilation, window, strict=True)]
        return [(total // 2, total - total // 2) for total in totals]
    return [(p, p) for p in per_axis(0 if padding == "valid" else padding, len(window))]


def _same_transposed(reach: list[int], stride: tuple[int, ...]) -> Pads:
    """What `lax.conv_transpose` makes of 'SAME'."""
    pads = []
    for r, s in zip(reach, stride, strict=True):
        before = r if s > r else -(-(r + s - 1) // 2)
        pads.append((before, r + s - 1 - before))
    return pads


def _in_turns(y: np.ndarray, groups: int) -> np.ndarray:
    """Channels (group, channel) as (channel, group)."""
    n, channels, *sizes = y.shape
    return y.reshape(n, groups, channels // groups, *sizes).swapaxes(1, 2).reshape(y.shape)


def _biased(y: np.ndarray | None, bias: np.ndarray | None) -> np.ndarray | None:
    if y is None or bias is None:
        return y
    return y + bias.reshape(1, -1, *[1] * (y.ndim - 2))
