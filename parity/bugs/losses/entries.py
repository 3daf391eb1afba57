"""Bugs in losses. No framework here."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from parity.bugs.bug import Bug, Parts, Subject, part
from parity.pair import Pair

TOPIC = "losses"


def _pair(name: str, targets: Any, parts: Parts) -> Pair:
    return Pair(
        name=name,
        reference=_reference,
        port=_port,
        inputs=_inputs,
        targets=targets,
        reference_loss=partial(_reference_loss, name),
        port_loss=partial(_port_loss, parts["loss"]),
        batch_size=10,
    )


def _reference(seed: int) -> Any:
    from parity.bugs.losses.reference import Network

    return Network()


def _port(seed: int) -> Any:
    from flax import nnx

    from parity.bugs.losses.port import Network

    return Network(nnx.Rngs(seed))


def _inputs(generator: np.random.Generator, n: int) -> np.ndarray:
    return generator.normal(size=(n, 5))


def _reference_loss(name: str, outputs: Any, targets: Any) -> Any:
    from parity.bugs.losses import reference

    return getattr(reference, name)(outputs, targets)


def _port_loss(spec: str, outputs: Any, targets: Any) -> Any:
    return part(TOPIC, spec)(outputs, targets)


def _labels(generator: np.random.Generator, n: int) -> np.ndarray:
    """Classes (n,)."""
    return generator.integers(4, size=n)


def _labels_with_ignored(generator: np.random.Generator, n: int) -> np.ndarray:
    """Classes (n,), every third example without one: PyTorch's -100."""
    labels = generator.integers(4, size=n)
    labels[::3] = -100
    return labels


def _values(generator: np.random.Generator, n: int) -> np.ndarray:
    """Values (n, 4)."""
    return generator.normal(size=(n, 4))


def _subject(name: str, targets: Any) -> Subject:
    """A loss of the reference; the right port's has the same name."""
    return Subject(name=name, topic=TOPIC, parts={"loss": name}, pair=partial(_pair, name, targets))


SMOOTHED = _subject("smoothed", _labels)
WEIGHTED = _subject("weighted", _labels_with_ignored)
SQUARED = _subject("squared", _values)

SUBJECTS = (SMOOTHED, WEIGHTED, SQUARED)

_CROSS_ENTROPY = (
    "[torch.nn.CrossEntropyLoss](https://docs.pytorch.org/docs/stable/generated/"
    "torch.nn.CrossEntropyLoss.html)"
)
_OPTAX = "[Optax losses](https://optax.readthedocs.io/en/latest/api/losses.html)"

_bug = partial(Bug, part="loss", stage="loss")

BUGS = (
    _bug(
        row=36,
        name="label-smoothing-off",
        title="Leave label smoothing out",
        symptom="The port's loss is lower and its accuracy about the same; it looks like the "
        "better implementation. Its probabilities become overconfident.",
        source=f"{_CROSS_ENTROPY}: label_smoothing is an argument there; {_OPTAX}: a function of "
        "its own, smooth_labels",
        subject=SMOOTHED,
        wrong="not_smoothed",
        tags=("fast",),
    ),
    _bug(
        row=36,
        name="label-smoothing-over-others",
        title="Spread label smoothing over the other K - 1 classes",
        symptom="PyTorch spreads it over all K classes, the right one too. With 1,000 classes the "
        "losses agree to four digits, and everything else looks right.",
        source=f"{_CROSS_ENTROPY}: a mixture with the uniform distribution over the classes",
        subject=SMOOTHED,
        wrong="smoothed_over_the_others",
    ),
    _bug(
        row=38,
        name="l2-loss",
        title="Take optax.l2_loss for the mean squared error",
        symptom="optax.l2_loss is half of the squared error, so gradients are halved: the port "
        "learns as if with half the learning rate. Under Adam hardly anything changes.",
        source=f"{_OPTAX}: l2_loss has the factor 0.5, squared_error has not",
        subject=SQUARED,
        wrong="l2_loss",
    ),
    _bug(
        row=39,
        name="weighted-mean-by-count",
        title="Divide a weighted cross-entropy by the number of examples",
        symptom="PyTorch divides by the sum of the examples' weights. The port's loss has another "
        "scale, which changes from batch to batch with the classes in it.",
        source=f"{_CROSS_ENTROPY}: reduction 'mean' with weight",
        subject=WEIGHTED,
        wrong="weighted_sum_by_count",
    ),
    _bug(
        row=39,
        name="ignored-still-counted",
        title="Count ignored examples in the mean of a loss",
        symptom="Their losses are zero, as they should be, and the mean still divides by them. "
        "The loss is too low, more so the more padding a batch has.",
        source=f"{_CROSS_ENTROPY}: ignore_index",
        subject=WEIGHTED,
        wrong="ignored_in_the_sum_alone",
    ),
)
