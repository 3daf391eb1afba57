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
    RenameError,
    RuleError,
    TiedError,
    UnmatchedError,
    WaiverError,
)
from parity.bridge.rules import Rule
from parity.layers import Embedding, InstanceNorm, Linear


def linear(inputs, outputs, **options):
    return nnx.Linear(inputs, outputs, rngs=nnx.Rngs(0), **options)


class TorchOwn(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))


class FlaxOwn(nnx.Module):
    def __init__(self, *shape, name="kernel", kind=nnx.Param):
        setattr(self, name, kind(jnp.zeros(shape)))


def test_a_square_kernel_in_an_unknown_class_may_lie_either_way(refused):
    error = refused(
        AmbiguousError,
        TorchOwn(4, 4),
        FlaxOwn(4, 4),
        "kernel is weight as it is",
        "kernel is weight transposed",
    )
    assert error.reference == ("weight: parameter, 4x4, float32",)
    assert error.port == ("kernel: parameter, 4x4, float32",)


def test_a_kernel_of_any_shape_in_an_unknown_class_needs_a_rule(refused):
    text = "kernel is weight transposed"
    refused(AmbiguousError, TorchOwn(4, 3), FlaxOwn(3, 4), text)
    refused(AmbiguousError, nn.Linear(3, 4, bias=False), FlaxOwn(3, 4), text)


def test_pytorchs_name_in_another_layout(refused):
    port = FlaxOwn(3, 4, name="weight")
    refused(AmbiguousError, TorchOwn(4, 3), port, "weight is weight transposed")


def test_unknown_classes_of_shapes_that_do_not_fit(refused):
    refused(MismatchError, TorchOwn(4, 3), FlaxOwn(4, 5), "4x3", "4x5")


def test_a_parameter_that_is_a_buffer_in_the_port(refused):
    port = FlaxOwn(4, name="weight", kind=nnx.BatchStat)
    refused(AmbiguousError, TorchOwn(4), port, "parameter", "buffer")


def test_two_candidates(refused):
    reference = nn.ModuleDict({"head": nn.Linear(3, 4)})
    port = nnx.Dict(a=linear(3, 4), b=linear(3, 4))
    error = refused(AmbiguousError, reference, port)
    assert error.reference == ("head (torch.nn.Linear)",)
    assert error.port == ("a (flax.nnx.Linear)", "b (flax.nnx.Linear)")


def test_two_on_either_side_are_not_paired_by_order(refused):
    reference = nn.ModuleDict({"fc1": nn.Linear(4, 4), "fc2": nn.Linear(4, 4)})
    port = nnx.Dict(dense1=linear(4, 4), dense2=linear(4, 4))
    error = refused(AmbiguousError, reference, port)
    assert len(error.reference) == len(error.port) == 2


def test_layers_of_several_parts_are_candidates_as_one(refused, rngs):
    reference = nn.ModuleDict({"attention": nn.MultiheadAttention(4, 2)})
    port = nnx.Dict({name: nnx.MultiHeadAttention(2, 4, rngs=rngs) for name in ("a", "b")})
    error = refused(AmbiguousError, reference, port)
    assert error.port == ("a (flax.nnx.MultiHeadAttention)", "b (flax.nnx.MultiHeadAttention)")


def test_missing_bias(refused):
    port = nnx.Dict(fc=linear(3, 4, use_bias=False))
    reference = nn.ModuleDict({"fc": nn.Linear(3, 4)})
    error = refused(UnmatchedError, reference, port)
    assert error.reference == ("fc.bias: parameter, 4, float32",)
    assert error.port == ()


def test_extra_bias(refused):
    port = nnx.Dict(fc=linear(3, 4))
    reference = nn.ModuleDict({"fc": nn.Linear(3, 4, bias=False)})
    error = refused(UnmatchedError, reference, port)
    assert error.reference == ()
    assert error.port == ("fc/bias: parameter, 4, float32",)


def test_leftovers_of_both_sides_are_listed_in_full(refused):
    reference = nn.ModuleDict({"a": nn.Linear(3, 4), "norm": nn.BatchNorm1d(4)})
    port = nnx.Dict(a=linear(3, 4), extra=linear(4, 2))
    error = refused(UnmatchedError, reference, port, "waive")
    assert [line.split(":")[0] for line in error.reference] == [
        "norm.weight",
        "norm.bias",
        "norm.running_mean",
        "norm.running_var",
    ]
    assert [line.split(":")[0] for line in error.port] == ["extra/kernel", "extra/bias"]


def test_shapes_that_do_not_fit(refused):
    texts = "expected (3, 4)", "found (3, 5)"
    refused(MismatchError, nn.Linear(3, 4), linear(3, 5), *texts)


def test_several_faults_are_told_at_once(refused):
    reference = nn.ModuleDict({"a": nn.Linear(3, 4), "b": nn.Linear(3, 4)})
    port = nnx.Dict(a=linear(3, 5), b=linear(3, 4, use_bias=False))
    error = refused(BridgeError, reference, port, "found (3, 5)", "b.bias")
    assert "b.bias: parameter, 4, float32" in error.reference


def test_shared_in_the_reference_only(refused):
    shared = nn.Linear(3, 3)
    reference = nn.ModuleDict({"a": shared, "b": shared})
    error = refused(TiedError, reference, nnx.Dict(a=linear(3, 3), b=linear(3, 3)))
    assert error.reference == ("a", "b")
    assert error.port == ("a (flax.nnx.Linear)", "b (flax.nnx.Linear)")


def test_shared_in_the_port_only(refused):
    shared = linear(3, 3)
    reference = nn.ModuleDict({"a": nn.Linear(3, 3), "b": nn.Linear(3, 3)})
    error = refused(TiedError, reference, nnx.Dict(a=shared, b=shared))
    assert error.reference == ("a (torch.nn.Linear)", "b (torch.nn.Linear)")


def test_a_weight_tied_in_the_reference_only(refused, rngs):
    reference = nn.ModuleDict({"e": nn.Embedding(5, 3), "head": nn.Linear(3, 5)})
    reference["head"].weight = reference["e"].weight
    port = nnx.Dict(e=nnx.Embed(5, 3, rngs=rngs), head=linear(3, 5))
    refused(TiedError, reference, port, "the same as e.weight", "head/kernel")


def test_a_head_that_is_the_embedding_on_one_side_only(refused, pair_up, rngs):
    reference = nn.ModuleDict({"e": nn.Embedding(5, 3), "head": nn.Linear(3, 5, bias=False)})
    port = nnx.Dict(e=Embedding(5, 3, rngs=rngs), head=Linear(3, 5, bias=False, rngs=rngs))
    port["head"].weight = port["e"].weight
    texts = "head/weight: parameter, 5x3, float32, the same as e/weight", "head.weight"
    refused(TiedError, reference, port, *texts)
    reference["head"].weight = reference["e"].weight
    assert pair_up(reference, port).modules == {"e": "e"}
    texts = "head.weight: parameter, 5x3, float32, the same as e.weight", "head/weight"
    port["head"].weight = nnx.Param(jnp.zeros((5, 3)))
    refused(TiedError, reference, port, *texts)


def test_weights_tied_to_different_layers(refused, rngs):
    names = ("a", "b", "c")
    reference = nn.ModuleDict({name: nn.Linear(4, 4) for name in names})
    port = nnx.Dict({name: Linear(4, 4, rngs=rngs) for name in names})
    reference["c"].weight = reference["a"].weight
    port["c"].weight = port["b"].weight
    texts = "c.weight: parameter, 4x4, float32, the same as a.weight", "the same as b/weight"
    refused(TiedError, reference, port, *texts)


def test_layers_of_other_types_are_not_matched_by_shape(refused):
    reference = nn.ModuleDict({"a": nn.LayerNorm(4)})
    refused(UnmatchedError, reference, nnx.Dict(b=InstanceNorm(4, affine=True)))


@pytest.mark.parametrize(
    ("renames", "text"),
    [
        ({"nothing": "a"}, "matches no path"),
        ({"(": "a"}, "is no pattern"),
        ({"b": "a"}, "two modules"),
        ({"b": r"\7"}, "invalid group"),
    ],
)
def test_renames_that_cannot_be(refused, renames, text):
    reference = nn.ModuleDict({"a": nn.Linear(3, 4), "b": nn.Linear(4, 5)})
    port = nnx.Dict(a=linear(3, 4), b=linear(4, 5))
    refused(RenameError, reference, port, text, renames=renames)


@pytest.mark.parametrize(
    ("waiver", "text"),
    [(Waiver("weights", "because"), "names no parameter"), (Waiver("bias", " "), "no reason")],
)
def test_waivers_that_cannot_be(refused, waiver, text):
    refused(WaiverError, nn.Linear(3, 4), linear(3, 4), text, waivers=[waiver])


@pytest.mark.parametrize(
    ("flatten", "text"),
    [(Flatten("fc", (1, 1, 3)), "no layer of that path"), (Flatten("", (2, 2, 2)), "8 columns")],
)
def test_flattens_that_cannot_be(refused, flatten, text):
    refused(FlattenError, nn.Linear(3, 4), linear(3, 4), text, flattens=[flatten])


def test_a_rule_that_does_not_undo_itself(refused):
    def there(arrays, site):
        return {"kernel": arrays["weight"].T}

    def back(arrays, site):
        return {"weight": arrays["kernel"]}

    kinds = (f"{c.__module__}.{c.__qualname__}" for c in (TorchOwn, FlaxOwn))
    rule = Rule(*kinds, there, back)
    refused(RuleError, TorchOwn(4, 4), FlaxOwn(4, 4), "weight", rules=[rule])


def test_a_rule_that_knows_no_such_tensor(refused):
    rule = Rule("torch.nn.Linear", "flax.nnx.Linear", lambda a, s: {"kernel": a["w"]}, None)
    refused(UnmatchedError, nn.Linear(3, 4), linear(3, 4), "'w'", rules=[rule])


def test_a_rule_for_classes_that_neither_model_has(refused):
    def transform(arrays, site):
        return dict(arrays)

    rule = Rule("torch.nn.Linear", "flax.nnx.nn.linear.Linear", transform, transform)
    text = "for no two layers"
    error = refused(RuleError, nn.Linear(3, 4), linear(3, 4), text, rules=[rule])
    assert error.port == ("flax.nnx.Linear",)
