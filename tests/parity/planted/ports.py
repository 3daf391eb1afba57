"""Wrong ports of the built-in pair, and right ones written otherwise. Imports no framework."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
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


def _softmax_twice(outputs: Any, targets: Any) -> Any:
    import jax

    assert PAIR.port_loss is not None
    return PAIR.port_loss(jax.nn.softmax(outputs), targets)


def _nominal_batch(outputs: Any, targets: Any) -> Any:
    assert PAIR.port_loss is not None
    return PAIR.port_loss(outputs, targets) * len(targets) / PAIR.batch_size


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


Batches = Iterator[tuple[Any, Any]]


def _last_dropped(epoch: int) -> Batches:
    assert PAIR.port_training is not None
    yield from list(PAIR.port_training.batches(epoch))[:-1]


def _bgr(epoch: int) -> Batches:
    assert PAIR.port_training is not None
    for pictures, labels in PAIR.port_training.batches(epoch):
        yield np.ascontiguousarray(pictures[:, ::-1]), labels


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


BRIEF = _untrained(PAIR)
MOMENTUM = dataclasses.replace(
    _untrained(pair(Recipe(momentum=0.9, weight_decay=5e-4))), name="cifar10_cnn with momentum"
)

REFERENCES: Mapping[str, Pair] = {
    "brief": BRIEF, "momentum": MOMENTUM, "whole": PAIR, "norm": NORM,
}  # fmt: skip
"""The pairs whose references the ports are compared with."""


def _loader(batches: Any) -> Pair:
    assert BRIEF.port_training is not None
    training = dataclasses.replace(BRIEF.port_training, batches=batches)
    return dataclasses.replace(BRIEF, port_training=training)


def _port(name: str, of: Pair = BRIEF) -> Pair:
    return dataclasses.replace(of, port=partial(_network, name))


WRONG: Mapping[str, tuple[str, Pair]] = {
    "flatten order": ("brief", _port("ChannelsLastFlatten")),
    "swapped kernel": ("brief", _port("SwappedKernel")),
    "split ties": ("brief", _port("SplitTies")),
    "lecun init": ("brief", _port("LecunInit")),
    "softmax twice": ("brief", dataclasses.replace(BRIEF, port_loss=_softmax_twice)),
    "nominal batch": ("brief", dataclasses.replace(BRIEF, port_loss=_nominal_batch)),
    "decay after momentum": (
        "momentum",
        dataclasses.replace(MOMENTUM, port_optimizer=_decay_after_momentum),
    ),
    "Nesterov": ("momentum", dataclasses.replace(MOMENTUM, port_optimizer=_nesterov)),
    "last batch dropped": ("brief", _loader(_last_dropped)),
    "BGR": ("brief", _loader(_bgr)),
}

HARMLESS: Mapping[str, tuple[str, Pair]] = {
    "pooling before ReLU": ("whole", _port("PoolFirst", PAIR)),
    "convolution as a product": ("whole", _port("AsProduct", PAIR)),
    "reordered sums": ("whole", _port("ReorderedSums", PAIR)),
    "one-sided padding": ("whole", _port("OneSidedPadding", PAIR)),
    "ReLU inside": ("whole", _port("ReluInside", PAIR)),
    "norm as scale and shift": ("norm", NORM),
}

PORTS = {**WRONG, **HARMLESS}
"""Name -> the reference it is compared with, and the pair whose port it is."""
