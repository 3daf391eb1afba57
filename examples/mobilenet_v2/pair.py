"""torchvision's MobileNetV2 and its twin in Flax NNX.

python -m parity verify examples/mobilenet_v2/pair.py
"""

from __future__ import annotations

from typing import Any

from parity import Pair, channels_last

CLASSES = 10
# A small one: every kind of layer is there, and the proof takes less time. Without BLOCKS both
# sides build all of torchvision's seventeen blocks.
WIDTH_MULT = 0.25
BLOCKS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 2, 2), (6, 64, 2, 2))
HEIGHT, WIDTH = 48, 32  # they differ, or a kernel with swapped axes could go unseen
MOMENTUM, WEIGHT_DECAY = 0.9, 4e-5


def reference(seed: int) -> Any:
    from torchvision.models import mobilenet_v2

    return mobilenet_v2(
        num_classes=CLASSES, width_mult=WIDTH_MULT, inverted_residual_setting=BLOCKS
    )


def port(seed: int) -> Any:
    from flax import nnx
    from mobilenet_v2_flax import MobileNetV2

    return MobileNetV2(CLASSES, WIDTH_MULT, BLOCKS, rngs=nnx.Rngs(seed))


def reference_loss(logits: Any, labels: Any) -> Any:
    from torch.nn.functional import cross_entropy

    return cross_entropy(logits, labels)


def port_loss(logits: Any, labels: Any) -> Any:
    import optax

    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def reference_optimizer(model: Any, rate: float) -> Any:
    import torch

    return torch.optim.SGD(model.parameters(), rate, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)


def port_optimizer(model: Any, rate: float) -> Any:
    import optax

    # PyTorch adds the decay to the gradient, before the momentum.
    return optax.chain(optax.add_decayed_weights(WEIGHT_DECAY), optax.sgd(rate, momentum=MOMENTUM))


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
    # Batch norm over few values makes large steps chaotic: even PyTorch departs from itself when a
    # weight moves by its last digit. Here it has at least 4 * 3 * 2 of each channel.
    learning_rate=0.001,
    batch_size=6,
    short_batch_size=4,
    port_inputs=channels_last,
)
