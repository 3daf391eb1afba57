"""What is seen of a PyTorch model while it runs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from parity.capture.torch_tap import biased_variances, recording, tap


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3)])
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x, scale=None):
        for layer in self.layers:
            x = self.relu(layer(x))
        return {"y": x if scale is None else x * scale, "x": (x, None)}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block()
        self.shared = self.block.layers[0]

    def forward(self, x):
        return self.shared(self.block(x, scale=torch.full((3,), 2.0))["y"])


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    return Net()


def test_events_in_order_with_calls_and_leaves(net):
    with recording(net) as record:
        net(torch.ones(2, 3))
    assert [tuple(event) for event in record.timeline] == [
        ("enter", "block", 0, ["0", "scale"], False),
        ("enter", "block.layers.0", 0, ["0"], True),
        ("exit", "block.layers.0", 0, ["0"], True),
        ("enter", "block.relu", 0, ["0"], True),
        ("exit", "block.relu", 0, ["0"], True),
        ("enter", "block.layers.1", 0, ["0"], True),
        ("exit", "block.layers.1", 0, ["0"], True),
        ("enter", "block.relu", 1, ["0"], True),
        ("exit", "block.relu", 1, ["0"], True),
        ("exit", "block", 0, ["y", "x.0"], False),
        # A shared layer is one layer, under its first path.
        ("enter", "block.layers.0", 1, ["0"], True),
        ("exit", "block.layers.0", 1, ["0"], True),
    ]


def test_layers_that_work_in_place_do_not_reach_what_was_seen(net):
    x = torch.randn(4, 3)
    with recording(net) as record:
        net(x)
    expected = torch.nn.functional.linear(x, net.shared.weight, net.shared.bias).detach().numpy()
    np.testing.assert_array_equal(record.arrays["exit/block.layers.0#0/0"], expected)
    np.testing.assert_array_equal(record.arrays["enter/block.relu#0/0"], expected)
    np.testing.assert_array_equal(record.arrays["exit/block.relu#0/0"], np.maximum(expected, 0))
    assert (expected < 0).any()


def test_looking_changes_nothing_and_leaves_no_hooks(net):
    x = torch.randn(4, 3)
    expected = net(x)
    with recording(net), recording(net, cotangents=True):
        assert torch.equal(net(x), expected)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())


def test_cotangents(net):
    x = torch.randn(4, 3)
    with recording(net, cotangents=True) as record:
        tap(net(x), "output", record).square().sum().backward()
    y = net(x).detach()
    np.testing.assert_allclose(record.cotangents["output/0"], 2 * y.numpy(), rtol=1e-6)
    last = record.cotangents["block.layers.0#1/0"]
    np.testing.assert_allclose(last, 2 * y.numpy(), rtol=1e-6)
    inner = record.cotangents["block#0/y"]
    np.testing.assert_allclose(inner, last @ net.shared.weight.detach().numpy(), rtol=1e-5)
    # Past the scale of 2; the same tensor went out as x too, and nobody used that.
    np.testing.assert_allclose(record.cotangents["block.relu#1/0"], 2 * inner, rtol=1e-5)


@pytest.mark.parametrize("momentum", [0.1, 0.7, None])
@pytest.mark.parametrize(
    ("norm", "shape"), [(nn.BatchNorm1d, (5, 3)), (nn.BatchNorm2d, (4, 3, 2, 5))]
)
def test_biased_variances_are_flaxs(momentum, norm, shape):
    layer = norm(3, momentum=momentum)
    n = int(np.prod(shape)) // 3
    with biased_variances(layer) as biased:
        expected = torch.ones(3)
        for step in range(1, 4):
            before = layer.running_var.clone()
            layer(torch.randn(shape))
            rate = 1 / step if momentum is None else momentum
            # What torch's own update says that the batch's unbiased variance was.
            unbiased = (layer.running_var - (1 - rate) * before) / rate
            expected = (1 - rate) * expected + rate * unbiased * (n - 1) / n
    torch.testing.assert_close(biased["running_var"], expected, rtol=1e-5, atol=1e-6)
    layer.eval()
    with biased_variances(layer) as untouched:
        layer(torch.randn(shape))
    assert torch.equal(untouched["running_var"], layer.running_var)
