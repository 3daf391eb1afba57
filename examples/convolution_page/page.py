"""The page as text: words and calls from `options`, every number from running the calls."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from examples.convolution_page.geometry import Axis, TransposedAxis
from examples.convolution_page.measurement import Measured, measure
from examples.convolution_page.options import Lookalike, Option

_MARK = "<!-- written by python -m examples.convolution_page; do not edit -->"

_OPENING = f"""\
{_MARK}

# What the options of a convolution do

Stride, padding, dilation, groups and padding_mode: what each does to a picture, how large the
output is, and how PyTorch and Flax NNX spell it. Everything below is run: each call is executed as
it stands here in both frameworks, in float64, on the same weights and pictures, and the last column
is the largest difference between the two outputs, relative to the largest output. Around 1e-16 is
rounding.

Pictures lie (n, channels, height, width) in PyTorch and (n, height, width, channels) in Flax.
`kernel_size` is one number or one for each axis in PyTorch, always one for each axis in Flax.
`rngs` is `nnx.Rngs(0)`. The weights are carried over by `parity.bridge`: a kernel is (out, in, kh,
kw) in PyTorch and (kh, kw, in, out) in Flax.

## How large the output is

One formula answers it, for each axis on its own:

    {Axis.formula}

| | |
| --- | --- |
| w | size of the picture on that axis |
| k | kernel_size |
| s | stride |
| p | padding, on each side |
| d | dilation |
| o | size of the output |

Read it as: the padded picture has w + 2p cells, the window spans d(k-1) + 1 of them; what is left
over is how far the window can move, in steps of s, and the place where it starts is the + 1.

In the pictures the blue cells are what the window sees at its first place, and the blue cell of the
output is what comes of it; orange rings are its second place.
"""

_LOOKALIKES = """\
## Lookalikes

Calls that look like each other and do not mean the same. They are run too.

| | PyTorch | Flax | picture | output of PyTorch | of Flax | largest difference |
| --- | --- | --- | --- | --- | --- | --- |
"""


def write_page(options: Iterable[Option], lookalikes: Iterable[Lookalike]) -> str:
    """The whole page in Markdown. Runs every call in both frameworks."""
    return "\n".join([_OPENING, *map(_section, options), _lookalikes(lookalikes)])


def _section(option: Option) -> str:
    measured = [measure(call) for call in option.calls]
    parts = [f"## {option.title}", _wrapped(option.words)]
    if option.drawn != "nothing":
        parts.append(f"![{option.title}](figures/convolution_{option.key}.png)")
    parts += [_worked(option, measured[0]), _table(option, measured), _wrapped(option.after)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _worked(option: Option, measured: Measured) -> str:
    """The formula with the numbers of the first call, each axis on a line."""
    axes: Sequence[Axis | TransposedAxis] = measured.axes
    names = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}[len(axes)]
    lines = [f"    {name:<7} {axis.worked()}" for name, axis in zip(names, axes, strict=True)]
    formula = f"    {axes[0].formula}\n" if isinstance(axes[0], TransposedAxis) else ""
    return f"`{option.calls[0].torch}`:\n\n{formula}" + "\n".join(lines)


def _table(option: Option, measured: list[Measured]) -> str:
    weights = option.drawn == "groups"
    heading = ["PyTorch", "Flax", "picture", "output", *["weights"] * weights, "largest difference"]
    rows = [heading, ["---"] * len(heading)]
    for call, found in zip(option.calls, measured, strict=True):
        by_formula, there, here = found.sizes
        assert by_formula == there == here, call
        counts = [str(found.weights)] * weights
        sizes = [_size(call.sizes), _size(there)]
        rows.append([f"`{call.torch}`", f"`{call.flax}`", *sizes, *counts, _number(found.error)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _lookalikes(lookalikes: Iterable[Lookalike]) -> str:
    table, words = "", []
    for number, lookalike in enumerate(lookalikes, start=1):
        call, found = lookalike.call, measure(lookalike.call)
        _, there, here = found.sizes
        error = _number(found.error) if there == here else "other size"
        cells = [str(number), f"`{call.torch}`", f"`{call.flax}`", _size(call.sizes)]
        table += f"| {' | '.join([*cells, _size(there), _size(here), error])} |\n"
        words.append(_wrapped(f"{number}. {lookalike.words}", indent="   "))
    return _LOOKALIKES + table + "\n" + "\n".join(words) + "\n"


def _size(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes))


def _number(error: float) -> str:
    return f"{error:.1e}" if error else "0"


def _wrapped(words: str, indent: str = "") -> str:
    return textwrap.fill(
        words, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
