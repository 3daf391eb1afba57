"""A convolutional autoencoder: transposed convolutions, batch norm, pictures in and out, Adam.

python -m parity verify examples/autoencoder/pair.py
"""

from __future__ import annotations

from typing import Any

import numpy as np

from parity import Pair, channels_first, channels_last

CHANNELS, HEIGHT, WIDTH = 3, 12, 20  # height and width differ, so that nobody can mix them up
WEIGHT_DECAY = 1e-4


def reference(seed: int) -> Any:
    from autoencoder_torch import Autoencoder

    return Autoencoder(CHANNELS)


def port(seed: int) -> Any:
    from autoencoder_flax import Autoencoder
    from flax import nnx

    return Autoencoder(CHANNELS, rngs=nnx.Rngs(seed))


def pictures(generator: np.random.Generator, n: int) -> np.ndarray:
    """In [0, 1], with PyTorch's order of axes."""
    return generator.uniform(size=(n, CHANNELS, HEIGHT, WIDTH))


def reference_loss(outputs: Any, targets: Any) -> Any:
    import torch.nn.functional as F

    return F.mse_loss(outputs[0], targets)  # the other output is the code


def port_loss(outputs: Any, targets: Any) -> Any:
    import optax

    return optax.squared_error(outputs[0], targets).mean()


def reference_optimizer(model: Any, rate: float) -> Any:
    import torch

    return torch.optim.Adam(model.parameters(), rate, weight_decay=WEIGHT_DECAY)


def port_optimizer(model: Any, rate: float) -> Any:
    import optax
    from flax import nnx

    # Adam's weight decay enters the moments; after them, as in optax.adamw, it would be AdamW.
    adam = optax.chain(optax.add_decayed_weights(WEIGHT_DECAY), optax.adam(rate))
    return nnx.Optimizer(model, adam, wrt=nnx.Param)


PAIR = Pair(
    name="autoencoder",
    reference=reference,
    port=port,
    inputs=pictures,
    targets=lambda generator, n, inputs: inputs,  # what went in is what should come out
    reference_loss=reference_loss,
    port_loss=port_loss,
    reference_optimizer=reference_optimizer,
    port_optimizer=port_optimizer,
    learning_rate=1e-3,
    port_inputs=channels_last,
    port_targets=channels_last,
    port_outputs=channels_first,  # of both outputs
)
