"""The first event whose fault reaches the output: in chains, branches and containers."""

from __future__ import annotations

import numpy as np
import pytest

from parity.localise import culprit, runs
from parity.timeline import Event

Arrays = dict[str, np.ndarray]


def values(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=4)


def model(*steps: tuple[str, str, int, bool]) -> tuple[tuple[Event, ...], Arrays]:
    """Events (kind, layer, value, is leaf); equal values are the same array, as in the oracle."""
    events = [Event(kind, layer, 0, ("0",), leaf) for kind, layer, _, leaf in steps]
    events.append(Event("output", "", 0, ("0",), False))
    arrays = {f"t/{kind}/{layer}#0/0": values(value) for kind, layer, value, _ in steps}
    return tuple(events), {**arrays, "t/output/0": values(99)}


CHAIN = model(
    ("enter", "conv", 0, True), ("exit", "conv", 1, True),   # 0 1
    ("enter", "relu", 1, True), ("exit", "relu", 2, True),   # 2 3
    ("enter", "fc", 3, True), ("exit", "fc", 4, True),       # 4 5, output 6
)  # fmt: skip

RESIDUAL = model(
    ("enter", "block", 0, False),                                        # 0
    ("enter", "block.conv", 0, True), ("exit", "block.conv", 1, True),   # 1 2
    ("enter", "block.bn", 1, True), ("exit", "block.bn", 2, True),       # 3 4
    ("enter", "block.down", 0, True), ("exit", "block.down", 3, True),   # 5 6
    ("exit", "block", 4, False),                                         # 7
    ("enter", "fc", 4, True), ("exit", "fc", 5, True),                   # 8 9, output 10
)  # fmt: skip


def found(case: tuple[tuple[Event, ...], Arrays], departing: set[int]) -> tuple[int, ...]:
    events, arrays = case
    return runs(events, departing, range(len(events)), arrays, "t").fault


def test_fault_reaches_the_output_from_its_first_event() -> None:
    assert found(CHAIN, {3, 4, 5, 6})[0] == 3


def test_departure_that_ends_before_the_output_is_absorbed() -> None:
    events, arrays = CHAIN
    split = runs(events, {1, 3}, range(len(events)), arrays, "t")
    assert split.fault == ()
    assert split.absorbed == (1, 3)


def test_absorbed_departure_before_a_fault_is_not_blamed() -> None:
    assert found(CHAIN, {1, 5, 6}) == (5, 6)


def test_other_shape_of_an_input_alone_is_absorbed_by_its_layer() -> None:
    assert found(CHAIN, {0, 5, 6}) == (5, 6)


def test_branch_that_agrees_beside_the_fault_absorbs_nothing() -> None:
    """`block.down` is computed from the block's input: that it agrees shows nothing of `bn`."""
    assert found(RESIDUAL, {4, 7, 8, 9, 10})[0] == 4


def test_fault_in_the_second_branch_is_its_own() -> None:
    assert found(RESIDUAL, {6, 7, 8, 9, 10})[0] == 6


def test_rewrite_inside_a_block_that_returns_the_right_thing_is_absorbed() -> None:
    assert found(RESIDUAL, {2, 9, 10}) == (9, 10)


@pytest.mark.parametrize("constant", [np.zeros(4), np.arange(4)])
def test_positions_and_constants_absorb_nothing(constant: np.ndarray) -> None:
    events, arrays = model(
        ("enter", "token", 0, True), ("exit", "token", 1, True),
        ("enter", "position", 2, True), ("exit", "position", 3, True),
        ("enter", "norm", 4, True), ("exit", "norm", 5, True),
    )  # fmt: skip
    arrays["t/enter/position#0/0"] = constant
    assert found((events, arrays), {1, 4, 5, 6})[0] == 1


@pytest.mark.parametrize(
    ("position", "place", "layer", "after"),
    [(2, "output", "block.conv", ""), (3, "between", "block.bn", "block.conv"),
     (7, "between", "block", "block.down"), (0, "between", "block.conv", ""),
     (10, "between", "fc", "fc")],
)  # fmt: skip
def test_culprit_is_named_by_what_departs_first(
    position: int, place: str, layer: str, after: str
) -> None:
    events, arrays = RESIDUAL
    where = culprit(events, position, range(len(events)), arrays, "t")
    assert (where.place, where.layer, where.after) == (place, layer, after)


def test_container_whose_inside_the_port_does_not_show_is_the_culprit_itself() -> None:
    events, arrays = RESIDUAL
    where = culprit(events, 7, {0, 7, 8, 9, 10}, arrays, "t")
    assert (where.place, where.layer) == ("output", "block")


def test_layer_that_the_port_does_not_show_is_named_where_nothing_else_lies_between() -> None:
    events, arrays = CHAIN
    where = culprit(events, 4, {0, 1, 4, 5, 6}, {**arrays, "t/enter/fc#0/0": values(2)}, "t")
    assert (where.place, where.layer, where.after) == ("output", "relu", "conv")
    assert where.text == "relu, between conv and fc: what fc is given departs"


def test_layer_that_the_port_does_not_show_is_not_named_where_more_lies_between() -> None:
    events, arrays = CHAIN  # what relu returns is not what fc is given
    assert culprit(events, 4, {0, 1, 4, 5, 6}, arrays, "t").layer == "fc"
