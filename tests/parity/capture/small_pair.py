"""A pair for tests: a convolution, dropout, a batch norm, a linear layer, with losses."""

import dataclasses

from parity import Flatten, Pair, channels_last


def reference(seed):
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(2, 3, 3)
            self.norm = nn.BatchNorm2d(3)
            self.drop = nn.Dropout(0.5)
            self.last = nn.Linear(3 * 2 * 3, 4)

        def forward(self, x):
            return self.last(self.drop(self.norm(self.conv(x)).relu()).flatten(1))

    return Net()


def make_port(seed, change=lambda net, x: x):
    import jax
    from flax import nnx

    uniform = jax.nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")

    def bias(fan_in):
        bound = fan_in**-0.5
        return lambda key, shape, dtype: jax.random.uniform(key, shape, dtype, -bound, bound)

    class Net(nnx.Module):
        def __init__(self, rngs):
            init = {"kernel_init": uniform, "rngs": rngs}
            self.conv = nnx.Conv(2, 3, (3, 3), padding="VALID", bias_init=bias(18), **init)
            self.norm = nnx.BatchNorm(3, momentum=0.9, epsilon=1e-5, rngs=rngs)
            self.drop = nnx.Dropout(0.5, rngs=rngs)
            self.last = nnx.Linear(18, 4, bias_init=bias(18), **init)

        def __call__(self, x):
            x = change(self, self.drop(nnx.relu(self.norm(self.conv(x)))))
            return self.last(x.reshape(len(x), -1))

    return Net(nnx.Rngs(seed))


def port(seed):
    return make_port(seed)


def reference_loss(outputs, targets):
    import torch.nn.functional as F

    return F.cross_entropy(outputs, targets)


def port_loss(outputs, targets):
    import optax

    return optax.softmax_cross_entropy_with_integer_labels(outputs, targets).mean()


PAIR = Pair(
    name="small",
    reference=reference,
    port=port,
    inputs=lambda generator, n: generator.normal(size=(n, 2, 4, 5)),
    targets=lambda generator, n: generator.integers(0, 4, n),
    reference_loss=reference_loss,
    port_loss=port_loss,
    port_inputs=channels_last,
    flattens=(Flatten("last", (3, 2, 3)),),
)


def changed(**fields):
    """The pair with other fields."""
    return dataclasses.replace(PAIR, **fields)
