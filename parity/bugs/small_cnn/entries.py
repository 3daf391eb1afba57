"""Bugs that need exact zeros before a rectifier. No framework here."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from parity.bugs.bug import Bug, Parts, Subject, part
from parity.pair import Pair, channels_last

TOPIC = "small_cnn"


def _pair(parts: Parts) -> Pair:
    return Pair(
        name="small_cnn",
        reference=_reference,
        port=partial(_port, parts),
        inputs=_inputs,
        port_inputs=channels_last,
    )


def _reference(seed: int) -> Any:
    from parity.bugs.small_cnn.reference import Network

    return Network()


def _port(parts: Parts, seed: int) -> Any:
    from flax import nnx

    from parity.bugs.small_cnn.port import Network

    return Network(nnx.Rngs(seed), rectify=part(TOPIC, parts["rectify"]))


def _inputs(generator: np.random.Generator, n: int) -> np.ndarray:
    """Pictures (n, 2, 9, 8) with a black area each."""
    pictures = generator.normal(size=(n, 2, 9, 8))
    pictures[:, :, 4:, :5] = 0
    return pictures


SUBJECT = Subject(name="small_cnn", topic=TOPIC, parts={"rectify": "relu"}, pair=_pair)

SUBJECTS = (SUBJECT,)

BUGS = (
    Bug(
        row=26,
        name="relu-by-maximum",
        title="Write ReLU as jnp.maximum(x, 0)",
        symptom="The outputs are equal bit by bit. At exactly 0, as in black areas before a "
        "convolution without bias, the gradient is halved instead of stopped.",
        source="[jax.nn.relu](https://docs.jax.dev/en/latest/_autosummary/jax.nn.relu.html): its "
        "gradient at 0 is defined as 0",
        subject=SUBJECT,
        part="rectify",
        wrong="relu_by_maximum",
        stage="gradient",
        layer="conv1",
    ),
)
