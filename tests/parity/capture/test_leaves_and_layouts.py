"""Arrays inside values by name, and how activations and outputs lie in the port."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest

from parity import Pair, PairError, channels_first
from parity.capture.layout import Layout, layout_of, rebatched
from parity.capture.leaves import (
    LeafError,
    aliases_of,
    argument_leaves,
    arguments,
    change_arguments,
    change_leaves,
    leaves,
)
from parity.capture.output_layout import OutputLayout
from parity.capture.plan import batch_of, rate_of, snapshot_steps, trajectory_steps
from parity.capture.start import is_numpy

A, B, C = np.zeros(1), np.ones(2), np.full(3, 2.0)


class State(NamedTuple):
    hidden: Any
    cell: Any


@dataclasses.dataclass
class Output:
    logits: Any
    rest: Any


NAMED = [
    (A, ["0"]),
    ((A, B), ["0", "1"]),
    ([A, (B, C)], ["0", "1.0", "1.1"]),
    ({"x": A, "y": {"z": B}}, ["x", "y.z"]),
    ((A, None, B), ["0", "2"]),
    (State(A, (B,)), ["0", "1.0"]),
    (Output(A, {"h": B}), ["logits", "rest.h"]),
    (("text", 3, A), ["2"]),
    (None, []),
]


@pytest.mark.parametrize(("value", "names"), NAMED)
def test_names_of_leaves(value, names):
    assert list(leaves(value, is_numpy)) == names


@pytest.mark.parametrize("value", [value for value, names in NAMED if names])
def test_changed_leaves_keep_what_surrounds_them(value):
    seen = []

    def twice(name, array):
        seen.append(name)
        return array * 2

    new = change_leaves(value, is_numpy, twice)
    assert type(new) is type(value)
    assert seen == list(leaves(value, is_numpy)) == list(leaves(new, is_numpy))
    for name, array in leaves(value, is_numpy).items():
        np.testing.assert_array_equal(leaves(new, is_numpy)[name], array * 2)


MAPPINGS = [
    defaultdict(list, x=A, y=B),
    OrderedDict(x=A, y={"z": B}),
    MappingProxyType({"x": A, "n": 3}),
]


@pytest.mark.parametrize("value", MAPPINGS, ids=lambda value: type(value).__name__)
def test_mappings_of_every_class_keep_their_class_and_their_keys(value):
    new = change_leaves(value, is_numpy, lambda _, array: array + 5)
    assert type(new) is type(value)
    assert list(new) == list(value)
    assert new is not value
    for name, array in leaves(value, is_numpy).items():
        np.testing.assert_array_equal(leaves(new, is_numpy)[name], array + 5)
    if isinstance(value, defaultdict):
        assert new["of no key"] == [], "it still has its default"


class Sealed(Mapping):
    def __getitem__(self, key):
        return {"x": A}[key]

    def __iter__(self):
        return iter("x")

    def __len__(self):
        return 1


class Named(OrderedDict):
    """Made of other things than its items."""

    def __init__(self, logits):
        super().__init__(logits=logits)


@pytest.mark.parametrize("value", [Sealed(), Named(A)], ids=lambda value: type(value).__name__)
def test_mapping_that_cannot_be_made_anew_is_refused(value):
    with pytest.raises(LeafError, match=f"{type(value).__name__}, a mapping that can neither be"):
        change_leaves(value, is_numpy, lambda _, array: array)


def test_arguments_of_a_call():
    assert arguments(A) == ((A,), {})
    assert arguments((A, B)) == ((A, B), {})
    assert arguments({"x": A}) == ((), {"x": A})
    found = argument_leaves((A, (B, None)), {"mask": C}, is_numpy)
    assert {name: id(a) for name, a in found.items()} == {"0": id(A), "1.0": id(B), "mask": id(C)}
    args, kwargs = change_arguments((A, 3), {"mask": C, "flag": True}, is_numpy, lambda n, a: n)
    assert (args, kwargs) == (("0", 3), {"mask": "mask", "flag": True})


def test_the_same_array_twice_is_an_alias():
    assert aliases_of({"0": A, "1": B, "2": A, "3": A}) == {"2": "0", "3": "0"}


@pytest.mark.parametrize(
    ("kind", "reference", "port", "expected"),
    [
        ("torch.nn.Conv2d", (8, 3, 4, 5), (8, 4, 5, 3), Layout(True)),
        ("torch.nn.Conv2d", (8, 3, 4, 5), (8, 3, 4, 5), Layout()),
        ("torch.nn.Conv2d", (8, 4, 4, 4), (8, 4, 4, 4), Layout(True)),
        ("torch.nn.Linear", (8, 4, 4), (8, 4, 4), Layout()),
        ("torch.nn.Linear", (8, 4), (8, 4), Layout()),
        ("my.Block", (8, 4, 4, 4), (8, 4, 4, 4), None),
        ("my.Block", (8, 3, 5), (8, 5, 3), Layout(True)),
        ("my.Block", (8, 3, 5), (8, 15), Layout()),
    ],
)
def test_layouts_are_told_from_shapes_and_else_from_the_class(kind, reference, port, expected):
    assert layout_of(kind, reference, port) == expected


@pytest.mark.parametrize(
    ("reference", "port", "expected"),
    [((8, 3, 5), (3, 5, 3), (3, 3, 5)), ((8,), (), (8,)), ((), (8,), ()), ([], (), ())],
)
def test_shapes_of_a_full_batch_for_a_short_one_and_scalars_have_no_batch(
    reference, port, expected
):
    assert rebatched(reference, port) == expected
    assert isinstance(layout_of("torch.nn.Conv2d", expected, port), Layout)


@pytest.mark.parametrize("layout", [Layout(), Layout(True), Layout(flatten=(3, 2, 5))])
def test_there_and_back(layout, numbers):
    array = numbers(4, 7, 30)
    np.testing.assert_array_equal(layout.to_canonical(layout.to_port(array)), array)


def test_flattened_pictures(numbers):
    picture = numbers(4, 3, 2, 5)
    port = np.moveaxis(picture, 1, -1).reshape(4, -1)
    flat = Layout(flatten=(3, 2, 5))
    np.testing.assert_array_equal(flat.to_canonical(port), picture.reshape(4, -1))
    np.testing.assert_array_equal(flat.to_port(picture.reshape(4, -1)), port)


def pair_with(port_outputs) -> Pair:
    return Pair(name="a", reference=len, port=len, inputs=len, port_outputs=port_outputs)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda y: y, {"picture": (2, 4, 5, 3), "label": (2,)}),
        (channels_first, {"picture": (2, 3, 4, 5), "label": (2,)}),
        (lambda y: (y["label"], channels_first(y["picture"])), {"0": (2,), "1": (2, 3, 4, 5)}),
    ],
)
def test_outputs_go_to_canonical_form_and_back(numbers, function, expected):
    outputs = {"picture": numbers(2, 4, 5, 3), "label": np.array([3, 4])}
    layout = OutputLayout(pair_with(function), outputs)
    assert layout.shapes == expected
    there = layout.to_canonical(outputs)
    wanted = leaves(function(outputs), is_numpy)
    for name, array in wanted.items():
        np.testing.assert_array_equal(there[name], array)
        assert there[name].dtype == array.dtype
    back = layout.to_port(there)
    for name, array in outputs.items():
        np.testing.assert_array_equal(back[name], array)


@pytest.mark.parametrize("function", [lambda y: y + 1, lambda y: y[:1], lambda y: None])
def test_outputs_may_only_be_moved(numbers, function):
    with pytest.raises(PairError, match="port_outputs"):
        OutputLayout(pair_with(function), numbers(2, 3))


def test_plan_of_the_trajectory():
    steps = [batch_of(step) for step in range(1, trajectory_steps() + 1)]
    assert len(steps) == 52
    assert sorted(steps[:26]) == sorted(steps[26:]) == list(range(1, 27))
    assert (steps[25], steps[51]) == (26, 26), "each epoch ends with the short batch"
    assert steps[:26] != steps[26:]
    assert max(snapshot_steps()) == 52
    assert [rate_of(step, 0.5) for step in (1, 2, 3, 4)] == [0.5, 0.5, 0.5, 0.2]
