"""What the bridge refuses, in which class, naming both sides."""

from __future__ import annotations

import jax.numpy as jnp
import pytest
import torch
from flax import nnx
from torch import nn

from parity.bridge.declarations import Flatten, Waiver
from parity.bridge.errors import (
    AmbiguousError,
    BridgeError,
    FlattenError,
    MismatchError,
    NoCounterpartError,
    RenameError,
    RuleError,
    TiedError,
    UnmatchedError,
    WaiverError,
)
from parity.bridge.rules import Rule


def linear(inputs, outputs, **options):
    return nnx.Linear(inputs, outputs, rngs=nnx.Rngs(0), **options)


class TorchOwn(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))


class FlaxOwn(nnx.Module):
    def __init__(self, *shape, name="kernel", kind=nnx.Param):
        setattr(self, name, kind(jnp.zeros(shape)))


def _refused(expected, pair_up, reference, port, *texts, **declarations) -> BridgeError:
    with pytest.raises(BridgeError) as caught:
        pair_up(reference, port, **declarations)
    assert type(caught.value) is expected
    for text in texts:
        assert text in str(caught.value)
    return caught.value


def test_a_square_kernel_in_an_unknown_class_may_lie_either_way(pair_up):
    error = _refused(
        AmbiguousError,
        pair_up,
        TorchOwn(4, 4),
        FlaxOwn(4, 4),
        "kernel is weight as it is",
        "kernel is weight transposed",
    )
    assert error.reference == ("weight: parameter, 4x4, float32",)
    assert error.port == ("kernel: parameter, 4x4, float32",)


def test_a_kernel_of_any_shape_in_an_unknown_class_needs_a_rule(pair_up):
    text = "kernel is weight transposed"
    _refused(AmbiguousError, pair_up, TorchOwn(4, 3), FlaxOwn(3, 4), text)
    _refused(AmbiguousError, pair_up, nn.Linear(3, 4, bias=False), FlaxOwn(3, 4), text)


def test_pytorchs_name_in_another_layout(pair_up):
    port = FlaxOwn(3, 4, name="weight")
    _refused(AmbiguousError, pair_up, TorchOwn(4, 3), port, "weight is weight transposed")


def test_unknown_classes_of_shapes_that_do_not_fit(pair_up):
    _refused(MismatchError, pair_up, TorchOwn(4, 3), FlaxOwn(4, 5), "4x3", "4x5")


def test_a_parameter_that_is_a_buffer_in_the_port(pair_up):
    port = FlaxOwn(4, name="weight", kind=nnx.BatchStat)
    _refused(AmbiguousError, pair_up, TorchOwn(4), port, "parameter", "buffer")


def test_two_candidates(pair_up):
    reference = nn.ModuleDict({"head": nn.Linear(3, 4)})
    port = nnx.Dict(a=linear(3, 4), b=linear(3, 4))
    error = _refused(AmbiguousError, pair_up, reference, port)
    assert error.reference == ("head (torch.nn.Linear)",)
    assert error.port == ("a (flax.nnx.Linear)", "b (flax.nnx.Linear)")


def test_two_on_either_side_are_not_paired_by_order(pair_up):
    reference = nn.ModuleDict({"fc1": nn.Linear(4, 4), "fc2": nn.Linear(4, 4)})
    port = nnx.Dict(dense1=linear(4, 4), dense2=linear(4, 4))
    error = _refused(AmbiguousError, pair_up, reference, port)
    assert len(error.reference) == len(error.port) == 2


def test_missing_bias(pair_up):
    port = nnx.Dict(fc=linear(3, 4, use_bias=False))
    reference = nn.ModuleDict({"fc": nn.Linear(3, 4)})
    error = _refused(UnmatchedError, pair_up, reference, port)
    assert error.reference == ("fc.bias: parameter, 4, float32",)
    assert error.port == ()


def test_extra_bias(pair_up):
    port = nnx.Dict(fc=linear(3, 4))
    reference = nn.ModuleDict({"fc": nn.Linear(3, 4, bias=False)})
    error = _refused(UnmatchedError, pair_up, reference, port)
    assert error.reference == ()
    assert error.port == ("fc/bias: parameter, 4, float32",)


def test_leftovers_of_both_sides_are_listed_in_full(pair_up):
    reference = nn.ModuleDict({"a": nn.Linear(3, 4), "norm": nn.BatchNorm1d(4)})
    port = nnx.Dict(a=linear(3, 4), extra=linear(4, 2))
    error = _refused(UnmatchedError, pair_up, reference, port, "waive")
    assert [line.split(":")[0] for line in error.reference] == [
        "norm.weight",
        "norm.bias",
        "norm.running_mean",
        "norm.running_var",
    ]
    assert [line.split(":")[0] for line in error.port] == ["extra/kernel", "extra/bias"]


def test_shapes_that_do_not_fit(pair_up):
    texts = "expected (3, 4)", "found (3, 5)"
    _refused(MismatchError, pair_up, nn.Linear(3, 4), linear(3, 5), *texts)


def test_several_faults_are_told_at_once(pair_up):
    reference = nn.ModuleDict({"a": nn.Linear(3, 4), "b": nn.Linear(3, 4)})
    port = nnx.Dict(a=linear(3, 5), b=linear(3, 4, use_bias=False))
    error = _refused(BridgeError, pair_up, reference, port, "found (3, 5)", "b.bias")
    assert "b.bias: parameter, 4, float32" in error.reference


NO_COUNTERPART = {
    "grouped transposed convolution": (
        lambda: nn.ConvTranspose2d(4, 6, 3, groups=2),
        lambda r: nnx.ConvTranspose(4, 6, (3, 3), rngs=r),
        "parity.layers.ConvTranspose",
    ),
    "slopes per channel": (lambda: nn.PReLU(3), lambda r: nnx.PReLU(), "parity.layers.PReLU"),
    "hidden bias": (
        lambda: nn.GRU(3, 4),
        lambda r: nnx.RNN(nnx.GRUCell(3, 4, rngs=r)),
        "parity.layers.GRU",
    ),
    "running statistics": (
        lambda: nn.InstanceNorm2d(3, affine=True, track_running_stats=True),
        lambda r: nnx.InstanceNorm(3, rngs=r),
        "parity.layers.InstanceNorm",
    ),
    "cumulative average": (
        lambda: nn.BatchNorm2d(3, momentum=None),
        lambda r: nnx.BatchNorm(3, rngs=r),
        "momentum=None",
    ),
    "no statistics": (
        lambda: nn.BatchNorm2d(3, track_running_stats=False),
        lambda r: nnx.BatchNorm(3, rngs=r),
        "running statistics",
    ),
    "several axes": (
        lambda: nn.LayerNorm((3, 4)),
        lambda r: nnx.LayerNorm(4, rngs=r),
        "2 axes (3, 4)",
    ),
    "heads": (
        lambda: nn.MultiheadAttention(6, 2),
        lambda r: nnx.MultiHeadAttention(3, 6, rngs=r),
        "num_heads is 2 in the reference and 3 in the port",
    ),
    "projections": (
        lambda: nn.LSTM(3, 4, proj_size=2),
        lambda r: nnx.RNN(nnx.LSTMCell(3, 4, rngs=r)),
        "proj_size",
    ),
    "too few layers": (
        lambda: nn.LSTM(3, 4, num_layers=2),
        lambda r: nnx.RNN(nnx.LSTMCell(3, 4, rngs=r)),
        "2 cells nnx.LSTMCell or nnx.OptimizedLSTMCell",
    ),
    "layers in an unknown order": (
        lambda: nn.LSTM(4, 4, num_layers=2),
        lambda r: nnx.Dict(
            up=nnx.RNN(nnx.LSTMCell(4, 4, rngs=r)), low=nnx.RNN(nnx.LSTMCell(4, 4, rngs=r))
        ),
        "order of the layers up/cell, low/cell is unknown",
    ),
    "one direction": (
        lambda: nn.LSTM(4, 4, num_layers=1, bidirectional=True),
        lambda r: nnx.List([nnx.RNN(nnx.LSTMCell(4, 4, rngs=r)) for _ in range(2)]),
        "bidirectional",
    ),
}


@pytest.mark.parametrize("case", NO_COUNTERPART)
def test_layers_without_counterpart(pair_up, rngs, case):
    reference, port, text = NO_COUNTERPART[case]
    error = _refused(NoCounterpartError, pair_up, reference(), port(rngs), text)
    assert error.reference
    assert error.port


def test_shared_in_the_reference_only(pair_up):
    shared = nn.Linear(3, 3)
    reference = nn.ModuleDict({"a": shared, "b": shared})
    error = _refused(TiedError, pair_up, reference, nnx.Dict(a=linear(3, 3), b=linear(3, 3)))
    assert error.reference == ("a", "b")
    assert error.port == ("a (flax.nnx.Linear)", "b (flax.nnx.Linear)")


def test_shared_in_the_port_only(pair_up):
    shared = linear(3, 3)
    reference = nn.ModuleDict({"a": nn.Linear(3, 3), "b": nn.Linear(3, 3)})
    error = _refused(TiedError, pair_up, reference, nnx.Dict(a=shared, b=shared))
    assert error.reference == ("a (torch.nn.Linear)", "b (torch.nn.Linear)")


def test_a_weight_tied_in_the_reference_only(pair_up, rngs):
    reference = nn.ModuleDict({"e": nn.Embedding(5, 3), "head": nn.Linear(3, 5)})
    reference["head"].weight = reference["e"].weight
    port = nnx.Dict(e=nnx.Embed(5, 3, rngs=rngs), head=linear(3, 5))
    _refused(TiedError, pair_up, reference, port, "the same as e.weight", "head/kernel")


@pytest.mark.parametrize(
    ("renames", "text"),
    [
        ({"nothing": "a"}, "matches no path"),
        ({"(": "a"}, "is no pattern"),
        ({"b": "a"}, "two modules"),
        ({"b": r"\7"}, "invalid group"),
    ],
)
def test_renames_that_cannot_be(pair_up, renames, text):
    reference = nn.ModuleDict({"a": nn.Linear(3, 4), "b": nn.Linear(4, 5)})
    port = nnx.Dict(a=linear(3, 4), b=linear(4, 5))
    _refused(RenameError, pair_up, reference, port, text, renames=renames)


@pytest.mark.parametrize(
    ("waiver", "text"),
    [(Waiver("weights", "because"), "names no parameter"), (Waiver("bias", " "), "no reason")],
)
def test_waivers_that_cannot_be(pair_up, waiver, text):
    _refused(WaiverError, pair_up, nn.Linear(3, 4), linear(3, 4), text, waivers=[waiver])


@pytest.mark.parametrize(
    ("flatten", "text"),
    [(Flatten("fc", (1, 1, 3)), "no layer of that path"), (Flatten("", (2, 2, 2)), "8 columns")],
)
def test_flattens_that_cannot_be(pair_up, flatten, text):
    _refused(FlattenError, pair_up, nn.Linear(3, 4), linear(3, 4), text, flattens=[flatten])


def test_a_rule_that_does_not_undo_itself(pair_up):
    def there(arrays, site):
        return {"kernel": arrays["weight"].T}

    def back(arrays, site):
        return {"weight": arrays["kernel"]}

    kinds = (f"{c.__module__}.{c.__qualname__}" for c in (TorchOwn, FlaxOwn))
    rule = Rule(*kinds, there, back)
    _refused(RuleError, pair_up, TorchOwn(4, 4), FlaxOwn(4, 4), "weight", rules=[rule])


def test_a_rule_that_knows_no_such_tensor(pair_up):
    rule = Rule("torch.nn.Linear", "flax.nnx.Linear", lambda a, s: {"kernel": a["w"]}, None)
    _refused(UnmatchedError, pair_up, nn.Linear(3, 4), linear(3, 4), "'w'", rules=[rule])
