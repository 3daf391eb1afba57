"""torchvision's MobileNetV2 and its twin in Flax NNX.

    python -m parity verify examples/mobilenet_v2/pair.py

Neither framework is imported at the top: each of the two models is built in a process of its own.
"""

from __future__ import annotations

from typing import Any

from parity import Pair, channels_last

CLASSES = 10
WIDTH_MULT = 0.25  # a quarter of the channels: every layer is there, and the proof takes less time
HEIGHT, WIDTH = 64, 48  # they differ, or a kernel with swapped axes could go unseen
MOMENTUM, WEIGHT_DECAY = 0.9, 4e-5


def reference(seed: int) -> Any:
    from torchvision.models import mobilenet_v2

    return mobilenet_v2(weights=None, num_classes=CLASSES, width_mult=WIDTH_MULT)


def port(seed: int) -> Any:
    from flax import nnx
    from mobilenet_v2_flax import MobileNetV2

    return MobileNetV2(CLASSES, WIDTH_MULT, rngs=nnx.Rngs(seed))


def reference_loss(logits: Any, labels: Any) -> Any:
    from torch.nn.functional import cross_entropy

    return cross_entropy(logits, labels)


def port_loss(logits: Any, labels: Any) -> Any:
    import optax

    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def reference_optimizer(model: Any, learning_rate: float) -> Any:
    import torch

    return torch.optim.SGD(
        model.parameters(), lr=learning_rate, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY
    )


def port_optimizer(model: Any, learning_rate: float) -> Any:
    import optax

    # PyTorch adds the decay to the gradient, before the momentum.
    return optax.chain(
        optax.add_decayed_weights(WEIGHT_DECAY), optax.sgd(learning_rate, momentum=MOMENTUM)
    )


PAIR = Pair(
    name="mobilenet_v2",
    reference=reference,
    port=port,
    inputs=lambda generator, n: generator.normal(size=(n, 3, HEIGHT, WIDTH)),
    targets=lambda generator, n: generator.integers(0, CLASSES, n),
    reference_loss=reference_loss,
    port_loss=port_loss,
    reference_optimizer=reference_optimizer,
    port_optimizer=port_optimizer,
    # Small: with batch norm over few values larger steps are chaotic, and even PyTorch departs from
    # itself when a weight moves by its last digit.
    learning_rate=0.0001,
    batch_size=8,
    short_batch_size=5,
    port_inputs=channels_last,
)
