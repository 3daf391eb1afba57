"""The rest of what the page says: the way up, other dimensions, all at once, and lookalikes."""

from __future__ import annotations

from examples.convolution_page.options import Call, Lookalike, Option

MORE_OPTIONS = (
    Option(
        "transposed",
        "Transposed convolution: the way up",
        "A transposed convolution makes pictures larger. Each cell of the input stamps the whole "
        "kernel, times its value, onto the output; the next cell stamps it `stride` further on, "
        "and where stamps overlap they are added: below, the blue cell stamps the blue cells, the "
        "ringed cell the ringed ones. Padding has the opposite effect here: it cuts "
        "that many cells away from each side of the output. So a convolution and its transposed "
        "one with the same numbers undo each other's change of size. At stride 2 two sizes lead to "
        "the same half, and `output_padding` says which is meant: it adds rows and columns at the "
        "end.",
        (
            Call(
                "nn.ConvTranspose2d(4, 8, kernel_size=3, stride=2)",
                "nnx.ConvTranspose(4, 8, kernel_size=(3, 3), strides=(2, 2), padding=2, "
                "transpose_kernel=True, rngs=rngs)",
                (2, 3),
            ),
            Call(
                "nn.ConvTranspose2d(4, 8, kernel_size=3, stride=2, padding=1, output_padding=1)",
                "nnx.ConvTranspose(4, 8, kernel_size=(3, 3), strides=(2, 2), "
                "padding=((1, 2), (1, 2)), transpose_kernel=True, rngs=rngs)",
                (2, 3),
            ),
            Call(
                "nn.ConvTranspose2d(4, 8, kernel_size=3, dilation=2)",
                "nnx.ConvTranspose(4, 8, kernel_size=(3, 3), kernel_dilation=2, padding=4, "
                "transpose_kernel=True, rngs=rngs)",
                (2, 3),
            ),
            Call(
                "nn.ConvTranspose2d(4, 8, kernel_size=3, stride=2, groups=2)",
                "parity.layers.ConvTranspose(4, 8, kernel_size=(3, 3), stride=2, groups=2, "
                "rngs=rngs)",
                (2, 3),
            ),
        ),
        drawn="stamps",
        how_many=2,
        after="In Flax `padding` is what is put around the input before an ordinary convolution "
        "runs over it: PyTorch's p is d(k-1) - p there, and output_padding q makes the second of "
        "the two numbers d(k-1) - p + q. `transpose_kernel=True` flips the kernel as PyTorch "
        "does. Flax has no groups; `parity.layers.ConvTranspose` takes PyTorch's words.",
    ),
    Option(
        "dimensions",
        "One and three dimensions",
        "A sound has one axis, a film or a scan three. All options are the same; in Flax the "
        "number of axes is the length of `kernel_size`.",
        (
            Call(
                "nn.Conv1d(4, 8, kernel_size=3, stride=2, padding=1)",
                "nnx.Conv(4, 8, kernel_size=(3,), strides=2, padding=1, rngs=rngs)",
                (9,),
            ),
            Call(
                'nn.Conv1d(4, 8, kernel_size=3, padding=2, dilation=2, padding_mode="circular")',
                "nnx.Conv(4, 8, kernel_size=(3,), kernel_dilation=2, "
                'padding="CIRCULAR", rngs=rngs)',
                (9,),
            ),
            Call(
                "nn.Conv3d(4, 8, kernel_size=(2, 3, 3), stride=(1, 2, 2), groups=2)",
                "nnx.Conv(4, 8, kernel_size=(2, 3, 3), strides=(1, 2, 2), feature_group_count=2, "
                'padding="VALID", rngs=rngs)',
                (4, 5, 7),
            ),
            Call(
                "nn.ConvTranspose3d(4, 8, kernel_size=2, stride=2)",
                "nnx.ConvTranspose(4, 8, kernel_size=(2, 2, 2), strides=(2, 2, 2), padding=1, "
                "transpose_kernel=True, rngs=rngs)",
                (2, 3, 4),
            ),
        ),
        drawn="nothing",
    ),
    Option(
        "together",
        "All at once",
        "The options do not disturb each other: the formula takes kernel, stride, padding and "
        "dilation, groups look after the channels, the mode after the edge.",
        (
            Call(
                "nn.Conv2d(4, 8, kernel_size=3, stride=2, padding=2, dilation=2, groups=2)",
                "nnx.Conv(4, 8, kernel_size=(3, 3), strides=2, padding=2, kernel_dilation=2, "
                "feature_group_count=2, rngs=rngs)",
            ),
            Call(
                "nn.Conv2d(4, 8, kernel_size=3, stride=2, padding=2, dilation=2, groups=2, "
                'padding_mode="replicate")',
                "parity.layers.Conv(4, 8, kernel_size=(3, 3), stride=2, padding=2, dilation=2, "
                'groups=2, padding_mode="replicate", rngs=rngs)',
            ),
        ),
    ),
)

LOOKALIKES = (
    Lookalike(
        Call(
            "nn.Conv2d(4, 8, kernel_size=3)",
            "nnx.Conv(4, 8, kernel_size=(3, 3), rngs=rngs)",
        ),
        "PyTorch's default is no padding, Flax's is `SAME`.",
    ),
    Lookalike(
        Call(
            "nn.Conv2d(4, 8, kernel_size=3, stride=2, padding=1)",
            'nnx.Conv(4, 8, kernel_size=(3, 3), strides=2, padding="SAME", rngs=rngs)',
            (6, 8),
        ),
        "The same size and other numbers: `SAME` needs one row and one column here and puts them "
        "after the picture, so its windows lie one cell further on.",
    ),
    Lookalike(
        Call(
            "nn.Conv2d(4, 8, kernel_size=3, stride=2, padding=1)",
            'nnx.Conv(4, 8, kernel_size=(3, 3), strides=2, padding="SAME", rngs=rngs)',
            (5, 7),
        ),
        "The same two calls on odd sizes agree: a test on these would have missed it.",
    ),
    Lookalike(
        Call(
            'nn.Conv2d(4, 8, kernel_size=3, padding=2, padding_mode="circular")',
            'nnx.Conv(4, 8, kernel_size=(3, 3), padding="CIRCULAR", rngs=rngs)',
        ),
        "`CIRCULAR` pads 1 for a 3x3 kernel, whatever was meant.",
    ),
    Lookalike(
        Call(
            "nn.ConvTranspose2d(4, 8, kernel_size=4, stride=2, padding=1)",
            "nnx.ConvTranspose(4, 8, kernel_size=(4, 4), strides=(2, 2), padding=1, "
            "transpose_kernel=True, rngs=rngs)",
        ),
        "Padding 1 is what PyTorch cuts away from the output and what Flax puts around the input: "
        "2 would be right.",
    ),
    Lookalike(
        Call(
            "nn.ConvTranspose2d(4, 8, kernel_size=3, stride=2, padding=1, output_padding=1)",
            "nnx.ConvTranspose(4, 8, kernel_size=(3, 3), strides=(2, 2), "
            'padding="SAME", transpose_kernel=True, rngs=rngs)',
        ),
        "The same size and other numbers: `SAME` puts the odd row and column on the other side.",
    ),
)
