"""A Transformer encoder against stock Flax NNX: two inputs, a dict as output, dropout, AdamW.

python -m parity verify examples/transformer/pair.py
"""

from __future__ import annotations

from typing import Any

import numpy as np

from parity import Pair

VOCABULARY, TIME, CLASSES = 30, 11, 5


def reference(seed: int) -> Any:
    from transformer_torch import Transformer

    return Transformer(VOCABULARY, TIME, classes=CLASSES)


def port(seed: int) -> Any:
    from flax import nnx
    from transformer_flax import Transformer

    return Transformer(VOCABULARY, TIME, classes=CLASSES, rngs=nnx.Rngs(seed))


def inputs(generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Sequences of 2 to TIME tokens: the models' two arguments, tokens and padding, (n, TIME)."""
    lengths = generator.integers(2, TIME + 1, n)
    padding = np.arange(TIME) >= lengths[:, None]
    return np.where(padding, 0, generator.integers(1, VOCABULARY, (n, TIME))), padding


def reference_loss(outputs: Any, targets: Any) -> Any:
    import torch.nn.functional as F

    return F.cross_entropy(outputs["logits"], targets)


def port_loss(outputs: Any, targets: Any) -> Any:
    import optax

    losses = optax.softmax_cross_entropy_with_integer_labels(outputs["logits"], targets)
    return losses.mean()


def reference_optimizer(model: Any, rate: float) -> Any:
    import torch

    return torch.optim.AdamW(model.parameters(), rate)


def port_optimizer(model: Any, rate: float) -> Any:
    import optax
    from flax import nnx

    # Optax's weight decay is 1e-4 where PyTorch's is 1e-2.
    return nnx.Optimizer(model, optax.adamw(rate, weight_decay=1e-2), wrt=nnx.Param)


PAIR = Pair(
    name="transformer",
    reference=reference,
    port=port,
    inputs=inputs,
    targets=lambda generator, n: generator.integers(0, CLASSES, n),
    reference_loss=reference_loss,
    port_loss=port_loss,
    reference_optimizer=reference_optimizer,
    port_optimizer=port_optimizer,
    learning_rate=1e-3,
    renames={"blocks": "layers"},  # the port's paths -> the reference's
)
