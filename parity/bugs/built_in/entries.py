"""Bugs in the CIFAR-10 network: layout, initialisation, losses, loading. No framework here."""

from __future__ import annotations

from functools import partial

from parity.bugs.bug import Bug
from parity.bugs.built_in.subjects import SUBJECT

SUBJECTS = (SUBJECT,)

_FLAX_GUIDE = (
    "[Flax: convert PyTorch models to Flax](https://flax.readthedocs.io/en/latest/guides/"
    "converting_and_upgrading/convert_pytorch_to_flax.html)"
)
_TORCH_CONV = (
    "[torch.nn.Conv2d](https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html), "
    "variables"
)
_CROSS_ENTROPY = (
    "[torch.nn.CrossEntropyLoss](https://docs.pytorch.org/docs/stable/generated/"
    "torch.nn.CrossEntropyLoss.html)"
)
_DATA_LOADER = (
    "[torch.utils.data.DataLoader](https://docs.pytorch.org/docs/stable/data.html), drop_last"
)
_X64 = (
    "[JAX: double precision](https://docs.jax.dev/en/latest/notebooks/"
    "Common_Gotchas_in_JAX.html#double-64bit-precision)"
)

_bug = partial(Bug, subject=SUBJECT)

BUGS = (
    _bug(
        row=1,
        name="lecun-normal",
        title="Keep Flax's default initialisation of kernels, LeCun normal",
        symptom="Parity checks that copy the weights first cannot see it. The port starts with "
        "weights 1.7 times as wide as the reference's, and its early epochs differ.",
        source=_TORCH_CONV,
        part="initialise",
        wrong="lecun_normal",
        stage="init",
        layer="conv1",
    ),
    _bug(
        row=2,
        name="he-uniform",
        title="Take He uniform for PyTorch's 'Kaiming default'",
        symptom="PyTorch calls kaiming_uniform_ with a = sqrt(5), which is U(-1/sqrt(fan_in), "
        "1/sqrt(fan_in)). He uniform is 2.45 times as wide; training starts with a larger loss.",
        source="[pytorch#15314](https://github.com/pytorch/pytorch/issues/15314)",
        part="initialise",
        wrong="he_uniform",
        stage="init",
        layer="conv1",
    ),
    _bug(
        row=3,
        name="zero-biases",
        title="Start biases at zero, as Flax does",
        symptom="Nothing looks wrong: zero biases are usual elsewhere. PyTorch draws them from "
        "U(-1/sqrt(fan_in), 1/sqrt(fan_in)).",
        source=_TORCH_CONV,
        part="initialise",
        wrong="zero_biases",
        stage="init",
        layer="conv1",
        words="bias",
    ),
    _bug(
        row=7,
        name="kernel-axes-swapped",
        title="Swap height and width of a kernel on its way across",
        symptom="A 3 x 3 kernel has the same shape either way, so nothing complains. Trained from "
        "its own initialisation the port is as good; only copied weights are wrong.",
        source=_FLAX_GUIDE,
        part="convolve",
        wrong="kernel_whio",
        stage="forward",
        layer="conv2",
    ),
    _bug(
        row=8,
        name="picture-axes-swapped",
        title="Feed pictures with height and width swapped",
        symptom="Square pictures fit, lying on their side. Accuracy hardly suffers where the port "
        "is trained so too; copied weights give nonsense.",
        source="`transpose(0, 3, 2, 1)` in the place of `transpose(0, 2, 3, 1)`",
        part="picture",
        wrong="columns_first",
        stage="forward",
        layer="conv1",
    ),
    _bug(
        row=9,
        name="flatten-order",
        title="Flatten pictures in the order H, W, C before weights that expect C, H, W",
        symptom="Shapes fit and training works: only weights that come from PyTorch give wrong "
        "outputs. A port that is trained from its own initialisation never shows it.",
        source=_FLAX_GUIDE,
        part="flatten",
        wrong="flatten_hwc",
        stage="forward",
        layer="fc1",
        tags=("fast",),
    ),
    _bug(
        row=27,
        name="ties-split",
        title="Pool by reshape and max, which shares a tie's gradient",
        symptom="The outputs are equal bit by bit. Where neighbours are equal, as in flat areas of "
        "a picture, PyTorch gives the whole gradient to the first, `max` a part to each.",
        source="[torch.nn.MaxPool2d](https://docs.pytorch.org/docs/stable/generated/"
        "torch.nn.MaxPool2d.html), and the derivative of `jax.numpy.max`",
        part="pool",
        wrong="pool_by_reshape",
        stage="gradient",
        layer="conv1",
        tags=("fast",),
    ),
    _bug(
        row=35,
        name="softmax-twice",
        title="Take the softmax before a cross-entropy that takes it too",
        symptom="It still learns, slowly: the loss of ten classes cannot fall below 1.46, and "
        "gradients are small.",
        source=_CROSS_ENTROPY,
        part="loss",
        wrong="loss_of_probabilities",
        stage="loss",
    ),
    _bug(
        row=37,
        name="nominal-batch-mean",
        title="Divide a batch's summed loss by the nominal batch size",
        symptom="Every full batch agrees. The short batch at the end of an epoch has a loss that "
        "is too small, and so is its step.",
        source=_CROSS_ENTROPY,
        part="loss",
        wrong="loss_by_nominal_batch",
        stage="loss",
        words="short batch",
    ),
    _bug(
        row=53,
        name="last-batch-dropped",
        title="Drop the last, short batch of an epoch",
        symptom="The loss curve looks the same; the port sees fewer examples in each epoch, and "
        "always lacks others.",
        source=_DATA_LOADER,
        part="load",
        wrong="last_batch_dropped",
        stage="data",
    ),
    _bug(
        row=53,
        name="other-shuffle",
        title="Shuffle with another generator, or another seed",
        symptom="Both train well, so single curves can never be compared; what differs is blamed "
        "on chance.",
        source=_DATA_LOADER,
        part="load",
        wrong="shuffled_by_other_seed",
        stage="data",
    ),
    _bug(
        row=54,
        name="divided-by-256",
        title="Divide pixels by 256 instead of 255",
        symptom="Pictures are 0.4 % darker. Nobody sees it, and accuracy does not either.",
        source="[torchvision ToTensor](https://docs.pytorch.org/vision/stable/generated/"
        "torchvision.transforms.ToTensor.html)",
        part="load",
        wrong="divided_by_256",
        stage="data",
        tags=("fast",),
    ),
    _bug(
        row=54,
        name="bgr",
        title="Read pictures in the order blue, green, red, as OpenCV does",
        symptom="The network learns it as well. A reference's trained weights lose some points of "
        "accuracy, which looks like bad luck.",
        source="[OpenCV imread](https://docs.opencv.org/4.x/d4/da8/group__imgcodecs.html)",
        part="load",
        wrong="blue_first",
        stage="data",
    ),
    _bug(
        row=54,
        name="half-precision-pixels",
        title="Pass pixels through float16",
        symptom="Each pixel is off by up to 2.4e-4; losses agree to three digits.",
        source="[numpy.float16](https://numpy.org/doc/stable/reference/arrays.scalars.html"
        "#numpy.float16)",
        part="load",
        wrong="half_precision",
        stage="data",
    ),
    _bug(
        row=55,
        name="normalised-on-one-side",
        title="Subtract the mean and divide by the deviation on one side only",
        symptom="The port even trains faster, and is compared with a reference that had a harder "
        "start.",
        source="[torchvision Normalize](https://docs.pytorch.org/vision/stable/generated/"
        "torchvision.transforms.Normalize.html)",
        part="load",
        wrong="normalised",
        stage="data",
    ),
    _bug(
        row=56,
        name="x64-off",
        title="Compare in float64 while JAX silently computes in float32",
        symptom="Every array that is made float64 comes out float32 without a word, so tolerances "
        "are widened until a real bug passes too; int64 wraps at 2^31.",
        source=_X64,
        part="precision",
        wrong="x64_off",
        stage="config",
        hinted=False,  # the refusal itself says what it is, and what to do
    ),
)
