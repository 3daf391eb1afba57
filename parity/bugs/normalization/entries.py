"""Bugs in normalisations. No framework here."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from parity.bugs.bug import Bug, Parts, Subject, part
from parity.pair import Pair, channels_last

TOPIC = "normalization"


def _pair(parts: Parts) -> Pair:
    return Pair(
        name="normalization",
        reference=_network,
        port=partial(_port, "Network", parts),
        inputs=_pictures,
        port_inputs=channels_last,
    )


def _sensor_pair(parts: Parts) -> Pair:
    return Pair(
        name="sensor",
        reference=_sensor,
        port=partial(_port, "Sensor", parts),
        inputs=_readings,
        batch_size=7,  # means over a power of two would be exact, and hide a cancellation
    )


def _network(seed: int) -> Any:
    from parity.bugs.normalization.reference import Network

    return Network()


def _sensor(seed: int) -> Any:
    from parity.bugs.normalization.reference import Sensor

    return Sensor()


def _port(kind: str, parts: Parts, seed: int) -> Any:
    from flax import nnx

    return part(TOPIC, kind)(nnx.Rngs(seed), {n: part(TOPIC, s) for n, s in parts.items()})


def _pictures(generator: np.random.Generator, n: int) -> np.ndarray:
    """Dark pictures (n, 3, 9, 8): variances are small, so that eps counts."""
    return 0.1 * generator.normal(size=(n, 3, 9, 8))


def _readings(generator: np.random.Generator, n: int) -> np.ndarray:
    """Readings (n, 5) whose mean is 10,000 times their deviation."""
    return 10_000 + generator.normal(size=(n, 5))


SUBJECT = Subject(
    name="normalization",
    topic=TOPIC,
    parts={
        "convolution": "convolution_with_bias",
        "batch_norm": "batch_norm",
        "normalise": "normalise",
        "group_norm": "group_norm",
        "layer_norm": "layer_norm",
    },
    pair=_pair,
)

SENSOR = Subject(
    name="sensor",
    topic=TOPIC,
    parts={"variance": "variance", "tracked": "tracked_unbiased"},
    pair=_sensor_pair,
)

SUBJECTS = (SUBJECT, SENSOR)

_TORCH = "https://docs.pytorch.org/docs/stable/generated/torch.nn"
_BATCH_NORM = f"[torch.nn.BatchNorm2d]({_TORCH}.BatchNorm2d.html)"
_FLAX = (
    "[flax.nnx normalisations](https://flax.readthedocs.io/en/latest/api_reference/flax.nnx/nn/"
    "normalization.html)"
)
_PYTORCH_77427 = "[pytorch#77427](https://github.com/pytorch/pytorch/issues/77427)"

_bug = partial(Bug, subject=SUBJECT)

BUGS = (
    _bug(
        row=17,
        name="batch-norm-eps",
        title="Give a batch-norm the eps of Keras, 1e-3",
        symptom="Activations with a variance near 1 hardly change, and the loss agrees to five "
        "digits. Channels with a small variance come out too small.",
        source=f"{_BATCH_NORM}: eps is 1e-5; Keras's is 1e-3",
        part="batch_norm",
        wrong="batch_norm_eps_of_keras",
        stage="forward",
        layer="bn",
        tags=("fast",),
    ),
    _bug(
        row=18,
        name="momentum-default",
        title="Leave a batch-norm's momentum at Flax's default, 0.99",
        symptom="Training is exact to the digit. The running statistics move ten times slower "
        "than PyTorch's, so the first evaluations are bad for no visible reason.",
        source=f"{_FLAX}: the default is 0.99 and means what is kept; {_BATCH_NORM}: 0.1, what is "
        "taken",
        part="batch_norm",
        wrong="batch_norm_default_momentum",
        stage="state",
        layer="bn",
    ),
    _bug(
        row=18,
        name="momentum-inverted",
        title="Copy PyTorch's momentum of 0.1 to a Flax batch-norm",
        symptom="Flax keeps that share and PyTorch takes it. Training is exact; the running "
        "statistics are almost those of the last batch, and evaluations jump.",
        source=f"{_FLAX}: momentum is what is kept; {_BATCH_NORM}: what is taken",
        part="batch_norm",
        wrong="batch_norm_momentum_of_torch",
        stage="state",
        layer="bn",
        tags=("fast",),
    ),
    _bug(
        row=19,
        name="biased-running-variance",
        title="Keep the biased variance of the batch in the running variance",
        symptom="PyTorch normalises with the biased variance and keeps the unbiased one. Training "
        "is exact; evaluations are off by n / (n - 1), which only small batches show.",
        source=_PYTORCH_77427,
        subject=SENSOR,
        part="tracked",
        wrong="tracked_biased",
        stage="state",
        layer="bn",
        words="running_var",
    ),
    _bug(
        row=20,
        name="fast-variance",
        title="Compute the variance as E[x^2] - E[x]^2",
        symptom="Nothing on normalised inputs. Where the mean is large beside the deviation the "
        "two terms cancel: 5 % are wrong in float32 at a mean of 1,000 deviations.",
        source=f"{_FLAX}: use_fast_variance, on by default",
        subject=SENSOR,
        part="variance",
        wrong="fast_variance",
        stage="forward",
        layer="bn",
    ),
    _bug(
        row=21,
        name="mode-swapped",
        title="Pass `training` where the batch-norm asks for `use_running_average`",
        symptom="Linen's argument means the opposite of PyTorch's flag. Training goes on with "
        "statistics that never move, and evaluation depends on the batch.",
        source=f"{_FLAX}: use_running_average; {_BATCH_NORM}: train() and eval()",
        part="normalise",
        wrong="normalise_mode_swapped",
        stage="forward",
        layer="bn",
        words="training mode",
    ),
    _bug(
        row=22,
        name="bias-before-batch-norm-dropped",
        title="Drop the bias of a convolution before a batch-norm",
        symptom="In training mode the batch-norm subtracts any bias again, so losses agree to the "
        "digit. In eval mode the running mean still holds the reference's bias.",
        source=f"[torch.nn.Conv2d]({_TORCH}.Conv2d.html): bias is True by default",
        part="convolution",
        wrong="convolution_without_bias",
        stage="weights",
        layer="conv",
        hinted=False,
    ),
    _bug(
        row=23,
        name="layer-norm-eps",
        title="Leave a layer-norm's eps at Flax's default, 1e-6",
        symptom="With features of unit variance the two agree to six digits. At a scale of 0.01 "
        "they are 5 % apart.",
        source=f"[torch.nn.LayerNorm]({_TORCH}.LayerNorm.html): 1e-5; {_FLAX}: 1e-6",
        part="layer_norm",
        wrong="layer_norm_default_eps",
        stage="forward",
        layer="norm",
    ),
    _bug(
        row=23,
        name="group-norm-eps",
        title="Leave a group-norm's eps at Flax's default, 1e-6",
        symptom="As with a layer-norm: only groups of small variance show it.",
        source=f"[torch.nn.GroupNorm]({_TORCH}.GroupNorm.html): 1e-5; {_FLAX}: 1e-6",
        part="group_norm",
        wrong="group_norm_default_eps",
        stage="forward",
        layer="group",
    ),
)
