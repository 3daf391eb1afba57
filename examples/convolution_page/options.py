"""What the page says: each option in words, and its calls in both frameworks.

The calls are text here, and this text is what is printed and what is run.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """One convolution, as either framework spells it."""

    torch: str
    flax: str
    sizes: tuple[int, ...] = (5, 7)
    """Of the picture it is run on: height and width."""


@dataclass(frozen=True)
class Option:
    """A section of the page."""

    key: str
    title: str
    words: str
    calls: tuple[Call, ...]
    drawn: str = "windows"
    """What is drawn of the first calls: 'windows', 'stamps', 'groups', 'modes' or 'nothing'."""
    how_many: int = 1
    after: str = ""
    """Words that follow the numbers."""


@dataclass(frozen=True)
class Lookalike:
    """Two calls that look as if they were the same, and are not."""

    call: Call
    words: str


OPTIONS = (
    Option(
        "kernel_size",
        "kernel_size: how much one look takes in",
        "A convolution slides a small window, the kernel, over the picture. At each place it "
        "multiplies what it sees with its weights, and the sum is one number of the output. A 3x3 "
        "window finds room at 3 x 5 places of a 5x7 picture, so the output is 3x5.",
        (
            Call(
                "nn.Conv2d(4, 8, kernel_size=3)",
                'nnx.Conv(4, 8, kernel_size=(3, 3), padding="VALID", rngs=rngs)',
            ),
            Call(
                "nn.Conv2d(4, 8, kernel_size=(2, 5))",
                'nnx.Conv(4, 8, kernel_size=(2, 5), padding="VALID", rngs=rngs)',
            ),
        ),
        after='Flax pads unless told not to: its default is `padding="SAME"`, PyTorch\'s is none.',
    ),
    Option(
        "stride",
        "stride: how far the window moves",
        "With stride 2 the window moves two cells at a time, and the output has about half as many "
        "rows and columns. What does not fill a last step is never looked at: with stride (1, 3) "
        "the last of the 7 columns enters no number.",
        (
            Call(
                "nn.Conv2d(4, 8, kernel_size=3, stride=2)",
                'nnx.Conv(4, 8, kernel_size=(3, 3), strides=2, padding="VALID", rngs=rngs)',
            ),
            Call(
                "nn.Conv2d(4, 8, kernel_size=3, stride=(1, 3))",
                'nnx.Conv(4, 8, kernel_size=(3, 3), strides=(1, 3), padding="VALID", rngs=rngs)',
            ),
        ),
    ),
    Option(
        "padding",
        "padding: a frame around the picture",
        "Without padding each convolution makes the picture smaller, and its edge is looked at "
        "less often than its middle. Padding puts a frame of zeros around it first. One number is "
        "for all sides, a pair for rows and columns. A 3x3 kernel with padding 1 keeps the size; "
        'that is `padding="same"`, for any kernel at stride 1. `"valid"` is no padding.',
        (
            Call(
                "nn.Conv2d(4, 8, kernel_size=3, padding=1)",
                "nnx.Conv(4, 8, kernel_size=(3, 3), padding=1, rngs=rngs)",
            ),
            Call(
                "nn.Conv2d(4, 8, kernel_size=3, padding=(0, 2))",
                "nnx.Conv(4, 8, kernel_size=(3, 3), padding=(0, 2), rngs=rngs)",
            ),
            Call(
                'nn.Conv2d(4, 8, kernel_size=(3, 4), padding="same")',
                'nnx.Conv(4, 8, kernel_size=(3, 4), padding="SAME", rngs=rngs)',
            ),
            Call(
                'nn.Conv2d(4, 8, kernel_size=3, padding="valid")',
                'nnx.Conv(4, 8, kernel_size=(3, 3), padding="VALID", rngs=rngs)',
            ),
        ),
        how_many=2,
        after="An even kernel cannot be padded alike on both sides: both frameworks put the odd "
        'cell after. PyTorch has `"same"` at stride 1 only.',
    ),
    Option(
        "dilation",
        "dilation: holes in the window",
        "With dilation 2 the window looks at every second cell. The kernel keeps its 3x3 weights "
        "and spans 5x5 cells: a wider view with no more weights. It spans d(k-1) + 1 cells, which "
        "is why d(k-1) stands in the formula.",
        (
            Call(
                "nn.Conv2d(4, 8, kernel_size=3, dilation=2)",
                'nnx.Conv(4, 8, kernel_size=(3, 3), kernel_dilation=2, padding="VALID", rngs=rngs)',
            ),
            Call(
                "nn.Conv2d(4, 8, kernel_size=3, dilation=2, padding=2)",
                "nnx.Conv(4, 8, kernel_size=(3, 3), kernel_dilation=2, padding=2, rngs=rngs)",
            ),
            Call(
                "nn.Conv2d(4, 8, kernel_size=3, dilation=(1, 3))",
                "nnx.Conv(4, 8, kernel_size=(3, 3), kernel_dilation=(1, 3), "
                'padding="VALID", rngs=rngs)',
            ),
        ),
        after="`input_dilation` of `nnx.Conv` is another thing: it puts holes into the picture, "
        "which is how a transposed convolution is made.",
    ),
    Option(
        "groups",
        "groups: which channels see which",
        "Usually every output channel looks at all input channels. With groups=2 the channels are "
        "split in two halves that know nothing of each other; with as many groups as input "
        "channels each channel is filtered for itself, which is called depthwise. The size of the "
        "output stays, but there are fewer weights: the kernel is (out, in / groups, kh, kw) in "
        "PyTorch and (kh, kw, in / groups, out) in Flax. Both numbers of channels must be "
        "divisible by groups.",
        (
            Call(
                "nn.Conv2d(4, 8, kernel_size=3, groups=1)",
                'nnx.Conv(4, 8, kernel_size=(3, 3), feature_group_count=1, padding="VALID", '
                "rngs=rngs)",
            ),
            Call(
                "nn.Conv2d(4, 8, kernel_size=3, groups=2)",
                'nnx.Conv(4, 8, kernel_size=(3, 3), feature_group_count=2, padding="VALID", '
                "rngs=rngs)",
            ),
            Call(
                "nn.Conv2d(4, 8, kernel_size=3, groups=4)",
                'nnx.Conv(4, 8, kernel_size=(3, 3), feature_group_count=4, padding="VALID", '
                "rngs=rngs)",
            ),
        ),
        drawn="groups",
        how_many=3,
    ),
    Option(
        "padding_mode",
        "padding_mode: what stands in the frame",
        "The frame need not be zeros. `reflect` mirrors the picture at its edge without repeating "
        "the edge, `replicate` repeats the edge, `circular` goes on at the opposite side, as a "
        "pattern on wallpaper does. The mode changes no size, only what is seen at the edge. "
        "`reflect` needs a padding smaller than the picture, `circular` one that is not larger.",
        (
            Call(
                'nn.Conv2d(4, 8, kernel_size=3, padding=1, padding_mode="zeros")',
                "nnx.Conv(4, 8, kernel_size=(3, 3), padding=1, rngs=rngs)",
            ),
            Call(
                'nn.Conv2d(4, 8, kernel_size=3, padding=1, padding_mode="reflect")',
                'nnx.Conv(4, 8, kernel_size=(3, 3), padding="REFLECT", rngs=rngs)',
            ),
            Call(
                'nn.Conv2d(4, 8, kernel_size=3, padding=1, padding_mode="replicate")',
                "parity.layers.Conv(4, 8, kernel_size=(3, 3), padding=1, "
                'padding_mode="replicate", rngs=rngs)',
            ),
            Call(
                'nn.Conv2d(4, 8, kernel_size=3, padding=1, padding_mode="circular")',
                'nnx.Conv(4, 8, kernel_size=(3, 3), padding="CIRCULAR", rngs=rngs)',
            ),
            Call(
                'nn.Conv2d(4, 8, kernel_size=3, padding=2, padding_mode="reflect")',
                "parity.layers.Conv(4, 8, kernel_size=(3, 3), padding=2, "
                'padding_mode="reflect", rngs=rngs)',
            ),
        ),
        drawn="modes",
        after='Flax\'s `"REFLECT"` and `"CIRCULAR"` pad as much as keeps the size at stride 1, '
        "d(k-1) in all, and no other amount can be said; it has no replicate. "
        "`parity.layers.Conv` takes PyTorch's words. By hand: `jnp.pad(x, ((0, 0), (1, 1), "
        '(1, 1), (0, 0)), mode="edge")`, then a convolution with `padding="VALID"`; the modes are '
        "called `reflect`, `edge` and `wrap` there.",
    ),
)
