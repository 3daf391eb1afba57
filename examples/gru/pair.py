"""A GRU on sequences of different lengths: keyword arguments, SGD with Nesterov momentum.

python -m parity verify examples/gru/pair.py
"""

from __future__ import annotations

from typing import Any

import numpy as np

from parity import Pair

VOCABULARY, TIME, CLASSES = 30, 7, 5


def reference(seed: int) -> Any:
    from gru_torch import GruClassifier

    return GruClassifier(VOCABULARY, classes=CLASSES)


def port(seed: int) -> Any:
    from flax import nnx
    from gru_flax import GruClassifier

    return GruClassifier(VOCABULARY, classes=CLASSES, rngs=nnx.Rngs(seed))


def inputs(generator: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """Keyword arguments of both models: tokens (n, TIME), and how many of them count, (n,)."""
    return {
        "tokens": generator.integers(0, VOCABULARY, (n, TIME)),
        "lengths": generator.integers(1, TIME + 1, n),
    }


def reference_loss(outputs: Any, targets: Any) -> Any:
    import torch.nn.functional as F

    return F.cross_entropy(outputs, targets)


def port_loss(outputs: Any, targets: Any) -> Any:
    import optax

    return optax.softmax_cross_entropy_with_integer_labels(outputs, targets).mean()


def reference_optimizer(model: Any, rate: float) -> Any:
    import torch

    return torch.optim.SGD(model.parameters(), rate, momentum=0.9, nesterov=True)


def port_optimizer(model: Any, rate: float) -> Any:
    import optax
    from flax import nnx

    return nnx.Optimizer(model, optax.sgd(rate, momentum=0.9, nesterov=True), wrt=nnx.Param)


PAIR = Pair(
    name="gru",
    reference=reference,
    port=port,
    inputs=inputs,
    targets=lambda generator, n: generator.integers(0, CLASSES, n),
    reference_loss=reference_loss,
    port_loss=port_loss,
    reference_optimizer=reference_optimizer,
    port_optimizer=port_optimizer,
    learning_rate=0.05,
)
