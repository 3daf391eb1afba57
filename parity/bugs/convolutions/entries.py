"""Bugs in convolutions and poolings, planted into three small networks. No framework here."""

from __future__ import annotations

from parity.bugs.bug import Bug
from parity.bugs.convolutions.subjects import CONVOLUTIONS, PADDING_MODES, UPSAMPLING

SUBJECTS = (CONVOLUTIONS, PADDING_MODES, UPSAMPLING)

_CONV2D = "[`torch.nn.Conv2d`](https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html)"
_CONV_TRANSPOSE2D = (
    "[`torch.nn.ConvTranspose2d`]"
    "(https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html)"
)
_JAX_CONV_TRANSPOSE = (
    "[`jax.lax.conv_transpose`]"
    "(https://docs.jax.dev/en/latest/_autosummary/jax.lax.conv_transpose.html)"
)
_PADDING_LOST = (
    "Shapes fit, and only the picture's border is wrong: on large pictures the outputs look almost "
    "right, and the port loses a little accuracy."
)

BUGS = (
    Bug(
        row=5,
        name="transposed-fan-in",
        title="Count the input channels for a transposed convolution's fan-in",
        symptom="Nothing, where weights are loaded. Trained from its own initialisation the layer "
        "starts too narrow or too wide by the root of in / out channels, and the curve is a little "
        "different from the reference's. PyTorch takes the weight's second axis for the fan-in, "
        "and that axis holds a transposed convolution's *outputs*.",
        source=f"{_CONV_TRANSPOSE2D}, Variables: the bound has C_out in it",
        subject=UPSAMPLING,
        part="bound",
        wrong="bound_by_inputs",
        stage="init",
        layer="up",
    ),
    Bug(
        row=10,
        name="stride-2-same",
        title="A convolution with stride 2 padded 'SAME' instead of by 1 on each side",
        symptom="Shapes fit. 'SAME' pads an even picture behind only, so every window lies one "
        "pixel further on: a ported ResNet gives features that look right and a lower accuracy.",
        source="[Differences between PyTorch and Flax model predictions]"
        "(https://github.com/google/flax/issues/963)",
        subject=CONVOLUTIONS,
        part="stem",
        wrong="strided_same",
        stage="forward",
        layer="stem",
        tags=("fast",),
    ),
    Bug(
        row=11,
        name="max-pool-same",
        title="A max-pooling of 3 with stride 2 padded 'SAME' instead of by 1 on each side",
        symptom="Shapes fit, and many maxima are the same: after the first layers of a ResNet the "
        "features are shifted by a pixel and resemble the right ones.",
        source="[Made and mended in the ResNet of AlgoPerf]"
        "(https://github.com/mlcommons/algorithmic-efficiency/pull/248); "
        "[asked of SimCLR's](https://github.com/google-research/simclr/issues/26)",
        subject=CONVOLUTIONS,
        part="pool",
        wrong="max_pool_same",
        stage="forward",
        layer="pool",
    ),
    Bug(
        row=12,
        name="average-counts-padding",
        title="Leave an average pooling its default, which counts the padding",
        symptom="Shapes fit, and the middle of the picture is right; averages at the border are "
        "too small, since zeros are counted. Inception's poolings differ in it by origin of the "
        "weights.",
        source="[count_include_pad: Caffe2 and TensorFlow do not count, PyTorch does]"
        "(https://github.com/apache/tvm/issues/1144)",
        subject=UPSAMPLING,
        part="average",
        wrong="avg_pool_of_padding",
        stage="forward",
        layer="average",
    ),
    Bug(
        row=13,
        name="transposed-not-flipped",
        title="A transposed convolution that does not flip its kernel",
        symptom="Shapes fit; pictures come out of a decoder with smeared edges. Trained from "
        "scratch the flipped kernel is learned as well as the other, so only weights that come "
        "from PyTorch show it.",
        source=f"{_JAX_CONV_TRANSPOSE}, `transpose_kernel`; "
        "[jax#11252](https://github.com/jax-ml/jax/issues/11252), "
        "[flax#3137](https://github.com/google/flax/issues/3137)",
        subject=UPSAMPLING,
        part="transpose",
        wrong="kernel_not_flipped",
        stage="forward",
        layer="up",
    ),
    Bug(
        row=14,
        name="transposed-padding-as-input",
        title="Hand a transposed convolution PyTorch's padding as if it were padding of the input",
        symptom="The output is smaller or larger than PyTorch's. Where a mean over the picture "
        "follows, or a resize to a given size, nothing complains.",
        source="[jax#32267](https://github.com/jax-ml/jax/issues/32267): `lax.conv_transpose` "
        "takes numbers for padding of the input unless `use_consistent_padding` is set; "
        f"{_CONV_TRANSPOSE2D}, `padding`",
        subject=UPSAMPLING,
        part="transpose",
        wrong="padding_of_the_input",
        stage="forward",
        layer="up",
    ),
    Bug(
        row=14,
        name="transposed-same",
        title="A transposed convolution padded 'SAME' instead of by padding and output_padding",
        symptom="The size is doubled as it should be, and the picture is shifted by a pixel: what "
        "PyTorch adds behind, 'SAME' adds in front.",
        source="[The same shift, in a backend of Keras]"
        "(https://github.com/keras-team/keras/pull/22876)",
        subject=UPSAMPLING,
        part="transpose",
        wrong="padding_same",
        stage="forward",
        layer="up",
    ),
    Bug(
        row=15,
        name="groups-interleaved",
        title="Put the outputs of a grouped convolution in turns instead of group after group",
        symptom="Shapes fit, and every single channel is right: only their order is not, and the "
        "next layer mixes the wrong ones.",
        source=f"{_CONV2D}, `groups`: the outputs of the groups are concatenated",
        subject=CONVOLUTIONS,
        part="join",
        wrong="groups_interleaved",
        stage="forward",
        layer="grouped",
    ),
    Bug(
        row=15,
        name="dilation-ignored",
        title="Forget a convolution's dilation, which Flax calls `kernel_dilation`",
        symptom="With 'SAME' the size stays right whatever the dilation is. A segmentation network "
        "sees less of the picture and is a little worse.",
        source=f"{_CONV2D}, `dilation`; [`flax.nnx.Conv`]"
        "(https://flax.readthedocs.io/en/latest/api_reference/flax.nnx/nn/linear.html)",
        subject=CONVOLUTIONS,
        part="dilated",
        wrong="dilation_ignored",
        stage="forward",
        layer="dilated",
    ),
    Bug(
        row=16,
        name="reflect-dropped",
        title="Pad with zeros where the reference reflects the picture",
        symptom=_PADDING_LOST,
        source=f"{_CONV2D}, `padding_mode`",
        subject=PADDING_MODES,
        part="reflect",
        wrong="reflect_dropped",
        stage="forward",
        layer="reflect",
    ),
    Bug(
        row=16,
        name="replicate-dropped",
        title="Pad with zeros where the reference repeats the picture's border",
        symptom=f"{_PADDING_LOST} `nnx.Conv` has no such padding, so it is easily left out.",
        source=f"{_CONV2D}, `padding_mode`",
        subject=PADDING_MODES,
        part="replicate",
        wrong="replicate_dropped",
        stage="forward",
        layer="replicate",
    ),
    Bug(
        row=16,
        name="circular-dropped",
        title="Pad with zeros where the reference goes on at the other side of the picture",
        symptom=f"{_PADDING_LOST} On periodic data (a globe, a torus) a seam appears.",
        source=f"{_CONV2D}, `padding_mode`",
        subject=PADDING_MODES,
        part="circular",
        wrong="circular_dropped",
        stage="forward",
        layer="circular",
    ),
)
