"""torchvision's ResNet-18 and its twin in Flax NNX.

    python -m parity verify examples/resnet18/pair.py

Neither framework is imported at the top: each of the two models is built in a process of its own.
"""

from __future__ import annotations

from typing import Any

from parity import Pair, channels_last

CLASSES = 10
HEIGHT, WIDTH = 48, 32  # they differ, or a kernel with swapped axes could go unseen
MOMENTUM, WEIGHT_DECAY = 0.9, 1e-4


def reference(seed: int) -> Any:
    from torchvision.models import resnet18

    return resnet18(weights=None, num_classes=CLASSES)


def port(seed: int) -> Any:
    from flax import nnx
    from resnet18_flax import ResNet18

    return ResNet18(CLASSES, rngs=nnx.Rngs(seed))


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
    name="resnet18",
    reference=reference,
    port=port,
    inputs=lambda generator, n: generator.normal(size=(n, 3, HEIGHT, WIDTH)),
    targets=lambda generator, n: generator.integers(0, CLASSES, n),
    reference_loss=reference_loss,
    port_loss=port_loss,
    reference_optimizer=reference_optimizer,
    port_optimizer=port_optimizer,
    # Small: large steps with small batches are chaotic; PyTorch would depart from itself.
    learning_rate=0.001,
    batch_size=4,
    short_batch_size=3,
    port_inputs=channels_last,
)
