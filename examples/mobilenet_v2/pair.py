"""torchvision's MobileNetV2 and its twin in Flax NNX.

    python -m parity verify examples/mobilenet_v2/pair.py

Neither framework is imported at the top: each of the two models is built in a process of its own.
"""

from parity import Pair, channels_last

CLASSES = 10


def reference(seed):
    from torchvision.models import mobilenet_v2

    return mobilenet_v2(weights=None, num_classes=CLASSES)


def port(seed):
    from flax import nnx
    from mobilenet_v2_flax import MobileNetV2

    return MobileNetV2(CLASSES, rngs=nnx.Rngs(seed))


def reference_loss(logits, labels):
    from torch.nn.functional import cross_entropy

    return cross_entropy(logits, labels)


def port_loss(logits, labels):
    import optax

    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def reference_optimizer(model, learning_rate):
    import torch

    return torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=0.9, weight_decay=4e-5)


def port_optimizer(model, learning_rate):
    import optax

    # PyTorch adds the decay to the gradient, before the momentum.
    return optax.chain(optax.add_decayed_weights(4e-5), optax.sgd(learning_rate, momentum=0.9))


PAIR = Pair(
    name="mobilenet_v2",
    reference=reference,
    port=port,
    # Higher than wide, or a kernel with swapped axes could go unseen.
    inputs=lambda generator, n: generator.normal(size=(n, 3, 48, 32)),
    targets=lambda generator, n: generator.integers(0, CLASSES, n),
    reference_loss=reference_loss,
    port_loss=port_loss,
    reference_optimizer=reference_optimizer,
    port_optimizer=port_optimizer,
    learning_rate=0.01,
    batch_size=4,
    short_batch_size=3,
    port_inputs=channels_last,
)
