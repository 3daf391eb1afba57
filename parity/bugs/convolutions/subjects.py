"""The right pairs that bugs of convolutions and poolings are planted into. No framework here."""

from __future__ import annotations

import importlib
from functools import partial
from typing import Any

import numpy as np

from parity.bugs.bug import Parts, Subject, part
from parity.pair import Pair, channels_first, channels_last

TOPIC = "convolutions"


def _pair(network: str, parts: Parts) -> Pair:
    return Pair(
        name=f"{TOPIC}: {network}",
        reference=partial(_reference, network),
        port=partial(_port, network, parts),
        inputs=_pictures,
        port_inputs=channels_last,
        port_outputs=channels_first,
        batch_size=4,
        short_batch_size=3,
    )


def _reference(network: str, seed: int) -> Any:
    return getattr(importlib.import_module(f"parity.bugs.{TOPIC}.reference"), network)()


def _port(network: str, parts: Parts, seed: int) -> Any:
    from flax import nnx

    made = getattr(importlib.import_module(f"parity.bugs.{TOPIC}.port"), network)
    return made({name: part(TOPIC, spec) for name, spec in parts.items()}, nnx.Rngs(seed))


def _pictures(generator: np.random.Generator, n: int) -> np.ndarray:
    """(n, 3, 12, 20): height is not width, and both are even at every stride."""
    return generator.normal(size=(n, 3, 12, 20))


CONVOLUTIONS = Subject(
    name="convolutions",
    topic=TOPIC,
    parts={
        "stem": "strided",
        "pool": "max_pool",
        "join": "group_after_group",
        "dilated": "dilated",
    },
    pair=partial(_pair, "Convolutions"),
)

PADDING_MODES = Subject(
    name="padding_modes",
    topic=TOPIC,
    parts={"reflect": "reflect", "replicate": "replicate", "circular": "circular"},
    pair=partial(_pair, "PaddingModes"),
)

UPSAMPLING = Subject(
    name="upsampling",
    topic=TOPIC,
    parts={
        "average": "avg_pool",
        "transpose": "kernel_flipped",
        "bound": "bound_by_outputs",
    },
    pair=partial(_pair, "Upsampling"),
)
