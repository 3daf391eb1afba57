"""A bidirectional LSTM with an embedding that has a padding row; trained with Adam.

python -m parity verify examples/lstm/pair.py
"""

from __future__ import annotations

from typing import Any

import numpy as np

from parity import Pair

VOCABULARY, TIME, CLASSES = 30, 7, 5


def reference(seed: int) -> Any:
    from lstm_torch import LstmClassifier

    return LstmClassifier(VOCABULARY, classes=CLASSES)


def port(seed: int) -> Any:
    from flax import nnx
    from lstm_flax import LstmClassifier

    return LstmClassifier(VOCABULARY, classes=CLASSES, rngs=nnx.Rngs(seed))


def inputs(generator: np.random.Generator, n: int) -> np.ndarray:
    """Sequences of 2 to TIME tokens, filled up with 0, the padding: (n, TIME)."""
    lengths = generator.integers(2, TIME + 1, n)
    padding = np.arange(TIME) >= lengths[:, None]
    return np.where(padding, 0, generator.integers(1, VOCABULARY, (n, TIME)))


def reference_loss(outputs: Any, targets: Any) -> Any:
    import torch.nn.functional as F

    return F.cross_entropy(outputs, targets)


def port_loss(outputs: Any, targets: Any) -> Any:
    import optax

    return optax.softmax_cross_entropy_with_integer_labels(outputs, targets).mean()


def reference_optimizer(model: Any, rate: float) -> Any:
    import torch

    return torch.optim.Adam(model.parameters(), rate)


def port_optimizer(model: Any, rate: float) -> Any:
    import optax
    from flax import nnx

    return nnx.Optimizer(model, optax.adam(rate), wrt=nnx.Param)


PAIR = Pair(
    name="lstm",
    reference=reference,
    port=port,
    inputs=inputs,
    targets=lambda generator, n: generator.integers(0, CLASSES, n),
    reference_loss=reference_loss,
    port_loss=port_loss,
    reference_optimizer=reference_optimizer,
    port_optimizer=port_optimizer,
    learning_rate=1e-3,
)
