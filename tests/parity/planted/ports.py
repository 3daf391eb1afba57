"""Right ports of the built-in pair that are written otherwise, and its optimizer written wrong.

The other bugs of the built-in pair stand in parity/bugs/built_in. Imports no framework.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from norm_pair import NORM

from experiment.recipe import Recipe
from parity.pair import Pair
from parity.pairs.cifar10_cnn import PAIR, pair


def _network(name: str, seed: int) -> Any:
    import networks

    return getattr(networks, name)(Recipe(seed=seed))


def _decay_after_momentum(model: Any, rate: float) -> Any:
    import optax

    return _sgd(model, optax.trace(0.9), optax.add_decayed_weights(5e-4), optax.scale(-rate))


def _nesterov(model: Any, rate: float) -> Any:
    import optax

    return _sgd(
        model, optax.add_decayed_weights(5e-4), optax.sgd(rate, momentum=0.9, nesterov=True)
    )


def _sgd(model: Any, *parts: Any) -> Any:
    import optax
    from flax import nnx

    return nnx.Optimizer(model, optax.chain(*parts), wrt=nnx.Param)


def _untrained(pair: Pair) -> Pair:
    """Without the free run, which takes most of a capture's time and shows nothing new here."""
    sides = {}
    for side in ("reference_training", "port_training"):
        sides[side] = dataclasses.replace(
            getattr(pair, side),
            epoch=lambda *_: {"losses": np.zeros(1)},
            evaluate=lambda _: {},
            epochs=1,
        )
    return dataclasses.replace(pair, **sides)


MOMENTUM = dataclasses.replace(
    _untrained(pair(Recipe(momentum=0.9, weight_decay=5e-4))), name="cifar10_cnn with momentum"
)

REFERENCES: Mapping[str, Pair] = {
    "momentum": MOMENTUM, "whole": PAIR, "norm": NORM,
}  # fmt: skip
"""The pairs whose references the ports are compared with."""


def _port(name: str, of: Pair = PAIR) -> Pair:
    return dataclasses.replace(of, port=partial(_network, name))


WRONG: Mapping[str, tuple[str, Pair]] = {
    "decay after momentum": (
        "momentum",
        dataclasses.replace(MOMENTUM, port_optimizer=_decay_after_momentum),
    ),
    "Nesterov": ("momentum", dataclasses.replace(MOMENTUM, port_optimizer=_nesterov)),
}

HARMLESS: Mapping[str, tuple[str, Pair]] = {
    "pooling before ReLU": ("whole", _port("PoolFirst")),
    "convolution as a product": ("whole", _port("AsProduct")),
    "reordered sums": ("whole", _port("ReorderedSums")),
    "fused bias": ("whole", _port("FusedBias")),
    "one-sided padding": ("whole", _port("OneSidedPadding")),
    "ReLU inside": ("whole", _port("ReluInside")),
    "norm as scale and shift": ("norm", NORM),
}

PORTS = {**WRONG, **HARMLESS}
"""Name -> the reference it is compared with, and the pair whose port it is."""
