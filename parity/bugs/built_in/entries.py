"""Bugs in the CIFAR-10 network: layout, initialisation, losses, loading. No framework here."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import numpy as np

from experiment.recipe import Recipe
from parity.bugs.bug import Bug, Parts, Subject, part
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
        reference_training=_brief(PAIR.reference_training),
        port_training=_brief(
            dataclasses.replace(training, batches=partial(_batches, parts["load"]))
        ),
    )


def _port(parts: Parts, seed: int) -> Any:
    from parity.bugs.built_in.port import Network

    found = {name: part(TOPIC, spec) for name, spec in parts.items()}
    return Network(Recipe(seed=seed), found)


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
        "relu": "relu",
        "pool": "pool_by_window",
        "flatten": "flatten_chw",
        "initialise": "torch_default",
        "loss": "loss_of_logits",
        "load": "loaded_alike",
        "precision": "precision_as_asked",
    },
    pair=_pair,
)

SUBJECTS = (SUBJECT,)

_FLAX_GUIDE = (
    "[Flax: convert PyTorch models to Flax]"
    "(https://flax.readthedocs.io/en/latest/guides/converting_and_upgrading/convert_pytorch_to_flax.html)"
)

BUGS = (
    Bug(
        row=9,
        name="flatten-order",
        title="Flatten pictures in the order H, W, C before weights that expect C, H, W",
        symptom="Shapes fit and training works: only weights that come from PyTorch give wrong "
        "outputs. A port that is trained from its own initialisation never shows it.",
        source=_FLAX_GUIDE,
        subject=SUBJECT,
        part="flatten",
        wrong="flatten_hwc",
        stage="forward",
        layer="fc1",
        tags=("fast",),
    ),
    Bug(
        row=53,
        name="last-batch-dropped",
        title="Drop the last, short batch of an epoch",
        symptom="The loss curve looks the same; the port sees fewer examples in each epoch, and "
        "always lacks others.",
        source="`drop_last` and `drop_remainder` have different defaults in loaders of PyTorch, "
        "TensorFlow and Grain",
        subject=SUBJECT,
        part="load",
        wrong="last_batch_dropped",
        stage="data",
    ),
)
