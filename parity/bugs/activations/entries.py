"""Bugs in activations and in library conventions. No framework here."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from parity.bugs.bug import Bug, Parts, Subject, part
from parity.pair import Pair

TOPIC = "activations"


def _pair(parts: Parts) -> Pair:
    return Pair(
        name="activations",
        reference=_network,
        port=partial(_port, "Network", parts),
        inputs=_rows,
        learning_rate=1e-3,
    )


def _summary_pair(parts: Parts) -> Pair:
    return Pair(
        name="summary",
        reference=_summary,
        port=partial(_port, "Summary", parts),
        inputs=_series,
    )


def _network(seed: int) -> Any:
    from parity.bugs.activations.reference import Network

    return Network()


def _summary(seed: int) -> Any:
    from parity.bugs.activations.reference import Summary

    return Summary()


def _port(kind: str, parts: Parts, seed: int) -> Any:
    from flax import nnx

    return part(TOPIC, kind)(nnx.Rngs(seed), {n: part(TOPIC, s) for n, s in parts.items()})


def _rows(generator: np.random.Generator, n: int) -> np.ndarray:
    return 2 * generator.normal(size=(n, 5))


def _series(generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Series (n, 6, 3): an even number of steps; and shifts (n,) from -11 to 11."""
    return generator.normal(size=(n, 6, 3)), generator.integers(-11, 12, size=n)


SUBJECT = Subject(
    name="activations",
    topic=TOPIC,
    parts={"gelu": "gelu", "leaky_relu": "leaky_relu", "elu": "elu", "prelu": "prelu"},
    pair=_pair,
)

SUMMARY = Subject(
    name="summary",
    topic=TOPIC,
    parts={
        "median": "lower_median",
        "deviation": "sample_deviation",
        "bucket": "bucket_towards_zero",
    },
    pair=_summary_pair,
)

SUBJECTS = (SUBJECT, SUMMARY)

_TORCH = "https://docs.pytorch.org/docs/stable/generated/torch"
_JAX = "https://docs.jax.dev/en/latest/_autosummary/jax"
_PRELU = (
    "[flax.linen.PReLU](https://flax.readthedocs.io/en/v0.6.10/api_reference/_autosummary/"
    "flax.linen.activation.PReLU.html) and flax.nnx.PReLU"
)

_bug = partial(Bug, subject=SUBJECT)

BUGS = (
    _bug(
        row=6,
        name="prelu-initial-slope",
        title="Start PReLU at Flax's slope, 0.01",
        symptom="Copied weights agree, because the slope is copied too. A port that starts by "
        "itself begins as another network: PyTorch's slope starts at 0.25.",
        source=f"[torch.nn.PReLU]({_TORCH}.nn.PReLU.html): init is 0.25; {_PRELU}: 0.01",
        part="prelu",
        wrong="prelu_default",
        stage="init",
        layer="prelu",
    ),
    _bug(
        row=24,
        name="gelu-tanh",
        title="Use JAX's default GELU, the tanh approximation",
        symptom="Outputs differ by less than 5e-4, about as much as people let float32 differ. "
        "A deep transformer's logits differ visibly.",
        source=f"[jax.nn.gelu]({_JAX}.nn.gelu.html): approximate is True by default; "
        f"[torch.nn.GELU]({_TORCH}.nn.GELU.html): 'none'",
        part="gelu",
        wrong="gelu_default",
        stage="forward",
        layer="gelu",
    ),
    _bug(
        row=25,
        name="leaky-relu-slope",
        title="Forget a leaky ReLU's slope and take the default, 0.01",
        symptom="The port trains, a bit worse than the reference. Generative networks that use "
        "0.2 start to look blurred.",
        source=f"[jax.nn.leaky_relu]({_JAX}.nn.leaky_relu.html), "
        f"[torch.nn.LeakyReLU]({_TORCH}.nn.LeakyReLU.html)",
        part="leaky_relu",
        wrong="leaky_relu_default",
        stage="forward",
        layer="leaky",
    ),
    _bug(
        row=25,
        name="elu-alpha",
        title="Forget an ELU's alpha and take the default, 1",
        symptom="Positive values agree and negative ones are scaled; training hides it.",
        source=f"[jax.nn.elu]({_JAX}.nn.elu.html), [torch.nn.ELU]({_TORCH}.nn.ELU.html)",
        part="elu",
        wrong="elu_default",
        stage="forward",
        layer="elu",
    ),
    _bug(
        row=62,
        name="median-of-even-count",
        title="Take jnp.median for torch.median",
        symptom="They agree for an odd number of values. For an even one PyTorch returns the lower "
        "of the two in the middle, NumPy and JAX their mean.",
        source=f"[torch.median]({_TORCH}.median.html), "
        f"[jax.numpy.median]({_JAX}.numpy.median.html)",
        subject=SUMMARY,
        part="median",
        wrong="mean_median",
        stage="forward",
        layer="of_median",
    ),
    _bug(
        row=62,
        name="deviation-ddof",
        title="Take jnp.std for torch.std",
        symptom="PyTorch divides by n - 1, NumPy and JAX by n. With many values the two agree to "
        "a few digits.",
        source=f"[torch.std]({_TORCH}.std.html): correction is 1; "
        f"[jax.numpy.std]({_JAX}.numpy.std.html): ddof is 0",
        subject=SUMMARY,
        part="deviation",
        wrong="population_deviation",
        stage="forward",
        layer="of_deviation",
    ),
    _bug(
        row=62,
        name="negative-division",
        title="Divide whole numbers by // where the reference rounds towards zero",
        symptom="Positive numbers agree. Negative ones, such as relative positions, land one "
        "bucket lower.",
        source=f"[torch.div]({_TORCH}.div.html): rounding_mode 'trunc' and 'floor'; "
        f"[jax.numpy.floor_divide]({_JAX}.numpy.floor_divide.html)",
        subject=SUMMARY,
        part="bucket",
        wrong="bucket_downwards",
        stage="forward",
        layer="of_bucket",
    ),
)
