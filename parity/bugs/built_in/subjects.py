"""The built-in pair with its port made of parts, and briefly trained. No framework here."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import numpy as np

from experiment.recipe import Recipe
from parity.bridge.rules.rule import Arrays, Rule, Site
from parity.bugs.bug import Parts, Subject, part
from parity.pair import Pair, Training
from parity.pairs.cifar10_cnn import PAIR

TOPIC = "built_in"


def _pair(parts: Parts) -> Pair:
    training = PAIR.port_training
    assert training is not None
    return dataclasses.replace(
        PAIR,
        port=partial(_port, parts),
        port_loss=partial(_loss, parts["loss"]),
        rules=(_linear(parts),),
        reference_training=_brief(PAIR.reference_training),
        port_training=_brief(
            dataclasses.replace(training, batches=partial(_batches, parts["load"]))
        ),
    )


def _port(parts: Parts, seed: int) -> Any:
    from parity.bugs.built_in.port import Network

    found = {name: part(TOPIC, spec) for name, spec in parts.items()}
    return Network(Recipe(seed=seed), found)


def _linear(parts: Parts) -> Rule:
    """The way to the port's linear layers, and back."""
    there = partial(_there, parts["copy"])
    return Rule("torch.nn.Linear", "flax.nnx.Linear", there, _back)


def _there(spec: str, arrays: Arrays, site: Site) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = part(TOPIC, spec)(arrays, site)
    return found


def _back(arrays: Arrays, site: Site) -> dict[str, np.ndarray]:
    return {"weight": arrays["kernel"].T, "bias": arrays["bias"]}


def _loss(spec: str, outputs: Any, targets: Any) -> Any:
    return part(TOPIC, spec)(outputs, targets)


def _batches(spec: str, epoch: int) -> Any:
    assert PAIR.port_training is not None
    return part(TOPIC, spec)(list(PAIR.port_training.batches(epoch)))


def _no_epoch(*_: Any) -> dict[str, Any]:
    return {"losses": np.zeros(1)}


def _no_evaluation(*_: Any) -> dict[str, Any]:
    return {}


def _brief(training: Training | None) -> Training:
    """Its loader without its epochs, which take most of the time; other pairs are trained."""
    assert training is not None
    return dataclasses.replace(training, epoch=_no_epoch, evaluate=_no_evaluation, epochs=1)


SUBJECT = Subject(
    name="cifar10_cnn",
    topic=TOPIC,
    parts={
        "picture": "rows_first",
        "convolve": "kernel_hwio",
        "pool": "pool_by_window",
        "flatten": "flatten_chw",
        "initialise": "torch_default",
        "loss": "loss_of_logits",
        "load": "loaded_alike",
        "precision": "precision_as_asked",
        "copy": "copy_linear",
    },
    pair=_pair,
)
