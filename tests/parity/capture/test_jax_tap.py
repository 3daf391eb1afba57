"""What is seen of an NNX model while it runs."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from parity.capture.jax_tap import recording, tap_outputs


class Doubled(nnx.Linear):
    def __call__(self, x):
        return 2 * super().__call__(x)


class Inherits(nnx.Linear):
    pass


class Block(nnx.Module):
    def __init__(self, rngs):
        self.layers = nnx.List([Doubled(3, 3, rngs=rngs), Inherits(3, 3, rngs=rngs)])

    def __call__(self, x, scale=None):
        for layer in self.layers:
            x = nnx.relu(layer(x))
        return {"y": x * scale, "x": (x, None)}


class Net(nnx.Module):
    def __init__(self, rngs):
        self.block = Block(rngs)
        self.shared = self.block.layers[0]

    def __call__(self, x):
        return self.shared(self.block(x, scale=jnp.full(3, 2.0))["y"])


@pytest.fixture
def net(rngs) -> Net:
    return Net(rngs)


def test_calls_and_leaves(net, numbers):
    x = jnp.array(numbers(2, 3))
    with recording(net) as record:
        net(x)
    assert list(record.calls) == [
        "block/layers/0#0",
        "block/layers/1#0",
        "block#0",
        "block/layers/0#1",
    ]
    assert sorted(record.arrays) == sorted(
        f"{kind}/{place}"
        for kind, place in [
            ("enter", "block#0/0"),
            ("enter", "block#0/scale"),
            ("exit", "block#0/y"),
            ("exit", "block#0/x.0"),
            *((k, f"{p}/0") for k in ("enter", "exit") for p in record.calls if p != "block#0"),
        ]
    )
    assert not record.traced


def test_a_base_classs_call_is_part_of_the_layer(net, numbers):
    x = jnp.array(numbers(2, 3))
    with recording(net) as record:
        net(x)
    np.testing.assert_array_equal(record.arrays["exit/block/layers/0#0/0"], net.shared(x))


def test_looking_changes_nothing_and_leaves_the_classes_as_they_were(net, numbers):
    x = jnp.array(numbers(2, 3))
    before = {cls: vars(cls).get("__call__") for cls in (Doubled, Inherits, Block, nnx.Linear)}
    expected = net(x)
    with recording(net), recording(net, cotangents=True):
        np.testing.assert_array_equal(net(x), expected)
    for cls, call in before.items():
        assert vars(cls).get("__call__") is call


def test_modules_of_other_models_are_not_seen(net, numbers, rngs):
    other = Net(rngs)
    with recording(net) as record:
        other(jnp.array(numbers(2, 3)))
    assert record.calls == {}


def test_cotangents(net, numbers):
    x = jnp.array(numbers(4, 3))
    graph, state = nnx.split(net)
    seen = {}

    def objective(state):
        model = nnx.merge(graph, state)
        with recording(model, cotangents=True) as record:
            y = tap_outputs(model(x), record)
            seen["record"] = record
        return jnp.square(y).sum()

    jax.grad(objective)(state)
    cotangents, y = seen["record"].cotangents, net(x)
    np.testing.assert_allclose(cotangents["output/0"], 2 * y, rtol=1e-6)
    last = cotangents["block/layers/0#1/0"]
    np.testing.assert_allclose(last, 2 * y, rtol=1e-6)
    inner = 2 * last @ net.shared.kernel[...].T
    np.testing.assert_allclose(cotangents["block#0/y"], inner, rtol=1e-5, atol=1e-6)
    # Past the scale of 2 and the ReLU.
    active = np.asarray(net.block(x, scale=jnp.ones(3))["x"][0]) > 0
    np.testing.assert_allclose(
        cotangents["block/layers/1#0/0"], 2 * inner * active, rtol=1e-5, atol=1e-6
    )


def test_what_runs_in_a_compiled_loop_is_passed_over(numbers, rngs):
    class Looped(nnx.Module):
        def __init__(self):
            self.rnn = nnx.RNN(nnx.GRUCell(3, 4, rngs=rngs))
            self.body = nnx.Linear(4, 4, rngs=rngs)
            self.inner = nnx.Linear(4, 4, rngs=rngs)
            self.head = nnx.Linear(4, 2, rngs=rngs)

        def __call__(self, x):
            over = {"in_axes": (None, nnx.Carry, 0), "out_axes": (nnx.Carry, 0)}
            loop = nnx.scan(lambda body, x, _: (body(x), None), **over)
            x = loop(self.body, self.rnn(x), jnp.arange(2))[0]
            x = jax.lax.fori_loop(0, 2, lambda _, x: self.inner(x), x)
            return self.head(x)

    net = Looped()
    with recording(net) as record:
        net(jnp.array(numbers(2, 5, 3)))
    assert set(record.calls) == {"rnn#0", "head#0"}
    assert {"exit/rnn#0/0", "exit/head#0/0"} <= set(record.arrays)
    # NNX's own transformations run copies of the modules, so these two are not even met.
    assert record.traced == {"inner"}
