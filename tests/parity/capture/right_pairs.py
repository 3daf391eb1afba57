"""Right pairs of many kinds, for tests. Each is an attribute of its name in capitals."""

import dataclasses

from parity import Pair, channels_first, channels_last


def linear(inputs, outputs, rngs):
    """A Linear with PyTorch's initialisation."""
    import jax
    from flax import nnx

    bound = inputs**-0.5

    def uniform(key, shape, dtype):
        return jax.random.uniform(key, shape, dtype, -bound, bound)

    return nnx.Linear(inputs, outputs, kernel_init=uniform, bias_init=uniform, rngs=rngs)


def everything_reference(seed):
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(6, 6), nn.Linear(6, 6)])
            self.drop = nn.Dropout(0.5)

        def forward(self, x):
            for layer in self.layers:
                x = x + self.drop(layer(x).tanh())
            return x

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(9, 6)
            self.block = Block()
            self.shared = self.block.layers[0]
            self.norm = nn.LayerNorm(6)

        def forward(self, tokens, *, scale):
            x = self.block(self.embed(tokens)) * scale[:, None, None]
            x = self.shared(self.block(torch.relu(x)))
            return {"tokens": self.norm(x), "ends": (x[:, 0], x[:, -1])}

    return Net()


def everything_port(seed):
    import jax
    import jax.numpy as jnp
    from flax import nnx

    class Block(nnx.Module):
        def __init__(self, rngs):
            self.layers = nnx.List([linear(6, 6, rngs), linear(6, 6, rngs)])
            self.drop = nnx.Dropout(0.5, rngs=rngs)

        def __call__(self, x):
            for layer in self.layers:
                x = x + self.drop(jnp.tanh(layer(x)))
            return x

    class Net(nnx.Module):
        def __init__(self, rngs):
            normal = jax.nn.initializers.normal(1.0)
            self.embed = nnx.Embed(9, 6, embedding_init=normal, rngs=rngs)
            self.block = Block(rngs)
            self.shared = self.block.layers[0]
            self.norm = nnx.LayerNorm(6, epsilon=1e-5, rngs=rngs)

        def __call__(self, tokens, *, scale):
            x = self.block(self.embed(tokens)) * scale[:, None, None]
            x = self.shared(self.block(nnx.relu(x)))
            return {"tokens": self.norm(x), "ends": (x[:, 0], x[:, -1])}

    return Net(nnx.Rngs(seed))


EVERYTHING = Pair(
    name="everything",
    reference=everything_reference,
    port=everything_port,
    inputs=lambda g, n: {"tokens": g.integers(0, 9, (n, 5)), "scale": g.normal(size=n)},
    learning_rate=0.001,
)


def pictures_reference(seed):
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.Dropout(0.5),
        nn.Dropout2d(0.2), nn.Conv2d(3, 2, 2),
    )  # fmt: skip


def pictures_port(seed):
    import jax
    from flax import nnx

    def conv(inputs, outputs, size, rngs):
        bound = (inputs * size * size) ** -0.5

        def uniform(key, shape, dtype):
            return jax.random.uniform(key, shape, dtype, -bound, bound)

        init = {"kernel_init": uniform, "bias_init": uniform}
        return nnx.Conv(inputs, outputs, (size, size), padding="VALID", rngs=rngs, **init)

    rngs = nnx.Rngs(seed)
    return nnx.Sequential(
        conv(2, 3, 3, rngs), nnx.BatchNorm(3, momentum=0.9, epsilon=1e-5, rngs=rngs), nnx.relu,
        nnx.Dropout(0.5, rngs=rngs), nnx.Dropout(0.2, broadcast_dims=(1, 2), rngs=rngs),
        conv(3, 2, 2, rngs),
    )  # fmt: skip


def squares(outputs, targets):
    """Mean squared error, in either framework."""
    return ((outputs - targets) ** 2).mean()


PICTURES = Pair(
    name="pictures",
    reference=pictures_reference,
    port=pictures_port,
    inputs=lambda g, n: g.normal(size=(n, 2, 6, 7)),
    # The targets are made of the inputs, and the port's loss sees its own layout.
    targets=lambda g, n, x: x[:, :, 1:-2, 1:-2],
    reference_loss=squares,
    port_loss=squares,
    port_inputs=channels_last,
    port_targets=channels_last,
    port_outputs=channels_first,
)


def plain_reference(seed):
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.act, self.last = nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)

        def forward(self, x, y):
            return self.last(self.act(self.first(x))), self.first(y).mean(1)

    return Net()


def plain_port(seed):
    import jax.numpy as jnp
    from flax import nnx

    class Net(nnx.Module):
        def __init__(self, rngs):
            self.first, self.last = linear(3, 5, rngs), linear(5, 2, rngs)

        def __call__(self, x, y):
            return self.last(jnp.tanh(self.first(x))), self.first(y).mean(1)

    return Net(nnx.Rngs(seed))


PLAIN = Pair(
    name="plain",
    reference=plain_reference,
    port=plain_port,
    inputs=lambda g, n: (g.normal(size=(n, 3)), g.normal(size=(n, 3))),
    learning_rate=0.05,
)


def trained(name, torch_name, torch_options, make):
    """The plain pair with an optimizer."""

    def reference_optimizer(model, rate):
        import torch

        return getattr(torch.optim, torch_name)(model.parameters(), rate, **torch_options)

    def port_optimizer(model, rate):
        import optax

        return make(optax, rate)

    return dataclasses.replace(
        PLAIN, name=name, reference_optimizer=reference_optimizer, port_optimizer=port_optimizer
    )


def dampened(optax, rate):
    """PyTorch's SGD(momentum=0.9, dampening=0.3): the first gradient goes in whole."""
    import jax
    import jax.numpy as jnp

    def init(params):
        return optax.TraceState(jax.tree.map(jnp.zeros_like, params)), jnp.zeros([], jnp.int32)

    def update(grads, state, params=None):
        trace, count = state
        share = jnp.where(count == 0, 1.0, 0.7)
        new = jax.tree.map(lambda t, g: 0.9 * t + share * g, trace.trace, grads)
        return new, (optax.TraceState(new), count + 1)

    return optax.chain(optax.GradientTransformation(init, update), optax.scale(-rate))


MOMENTUM = trained("momentum", "SGD", {"momentum": 0.9}, lambda o, r: o.sgd(r, 0.9))
NESTEROV = trained(
    "nesterov", "SGD", {"momentum": 0.9, "nesterov": True}, lambda o, r: o.sgd(r, 0.9, True)
)
DAMPENING = trained("dampening", "SGD", {"momentum": 0.9, "dampening": 0.3}, dampened)
DECAY = trained(
    "decay",
    "SGD",
    {"momentum": 0.9, "weight_decay": 0.1},
    lambda o, r: o.chain(o.add_decayed_weights(0.1), o.sgd(r, 0.9)),
)
ADAM = trained("adam", "Adam", {}, lambda o, r: o.adam(r))
ADAMW = trained("adamw", "AdamW", {}, lambda o, r: o.adamw(r, weight_decay=1e-2))

_SGD = (MOMENTUM, NESTEROV, DAMPENING, DECAY)
PAIRS = {pair.name: pair for pair in (EVERYTHING, PICTURES, PLAIN, *_SGD, ADAM, ADAMW)}
