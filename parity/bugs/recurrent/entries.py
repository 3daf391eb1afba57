"""Bugs in an LSTM and a GRU. No framework here."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from parity.bugs.bug import Bug, Parts, Subject, part
from parity.pair import Pair

TOPIC = "recurrent"


def _pair(parts: Parts) -> Pair:
    return Pair(
        name=TOPIC,
        reference=_reference,
        port=partial(_port, parts),
        inputs=_sequences,
        batch_size=4,
        short_batch_size=3,
    )


def _reference(seed: int) -> Any:
    from parity.bugs.recurrent.reference import Network

    return Network()


def _port(parts: Parts, seed: int) -> Any:
    from parity.bugs.recurrent.port import Network

    return Network(seed, {name: part(TOPIC, spec) for name, spec in parts.items()})


def _sequences(generator: np.random.Generator, n: int) -> np.ndarray:
    """(n, 6, 3)"""
    return generator.normal(size=(n, 6, 3))


SUBJECT = Subject(
    name=TOPIC,
    topic=TOPIC,
    parts={
        "lstm": "lstm_of_two_biases",
        "gates": "gates_ifgo",
        "gru": "gru_with_hidden_bias",
    },
    pair=_pair,
)

SUBJECTS = (SUBJECT,)

BUGS = (
    Bug(
        row=31,
        name="gru-without-hidden-bias",
        title="Port a GRU to `nnx.GRUCell`, which has no hidden bias b_hn",
        symptom="Flax starts its biases at zero, so a fresh cell computes what PyTorch's would, "
        "and nothing tells that a bias is left over. Trained weights lose a term inside the reset "
        "gate's product.",
        source="[flax#5594](https://github.com/google/flax/issues/5594)",
        subject=SUBJECT,
        part="gru",
        wrong="gru_without_hidden_bias",
        stage="weights",
        layer="gru",
        words="no place for the hidden bias b_hn",
        hinted=False,  # The bridge refuses the pair and says this itself; no numbers are compared.
    ),
    Bug(
        row=32,
        name="lstm-gate-order",
        title="Split an LSTM's stacked weights into the gates i, g, f, o; PyTorch's are i, f, g, o",
        symptom="Shapes fit, all gates being alike, and the outputs stay between -1 and 1. Trained "
        "from scratch it learns as well as a right one.",
        source="[Order of an LSTM's gates in PyTorch](https://github.com/pytorch/pytorch/issues/750)"
        "; [TensorFlow's is i, j, f, o]"
        "(https://gist.github.com/sumanmichael/9f7f8e0ab3ca3b03ffa3b08e2869892f)",
        subject=SUBJECT,
        part="gates",
        wrong="gates_igfo",
        stage="forward",
        layer="lstm",
    ),
    Bug(
        row=32,
        name="lstm-one-bias",
        title="Train an LSTM with one bias where PyTorch has two",
        symptom="With b_ih + b_hh for its bias it computes exactly what PyTorch does, and its "
        "gradients are right. But PyTorch moves two biases by that gradient, so their sum learns "
        "twice as fast, and the training goes another way from the first step.",
        source="[flax#3746](https://github.com/google/flax/issues/3746)",
        subject=SUBJECT,
        part="lstm",
        wrong="lstm_of_one_bias",
        stage="update",
        layer="lstm",
    ),
)
