"""A fault in one of several branches is the branch's, though the branches after it agree."""

from __future__ import annotations

import numpy as np
import pytest

from parity.branches import rejoined
from parity.localise import Runs, runs
from parity.timeline import Event

Arrays = dict[str, np.ndarray]

RANDOM = np.random.default_rng(5)
FIRST, SECOND = RANDOM.normal(size=(2, 6, 3))
WRONG = FIRST + 0.01 * RANDOM.normal(size=FIRST.shape)


def events() -> tuple[Event, ...]:
    """Two layers beside each other, given something that is no layer's."""
    steps = [("enter", "a"), ("exit", "a"), ("enter", "b"), ("exit", "b")]
    found = [Event(kind, layer, 0, ("0",), True) for kind, layer in steps]
    return (*found, Event("output", "", 0, ("0",), False))


def side(a: np.ndarray, output: np.ndarray) -> Arrays:
    given = {"t/enter/a#0/0": FIRST + 1, "t/enter/b#0/0": SECOND + 1}
    return {**given, "t/exit/a#0/0": a, "t/exit/b#0/0": SECOND, "t/output/0": output}


def found(reference: Arrays, port: Arrays) -> Runs:
    split = runs(events(), {1, 4}, range(5), reference, "t")
    assert split == Runs((4,), (1,))  # the second branch agrees, and nothing says that it is apart
    return rejoined(split, events(), range(5), reference, port, "t")


def summed(a: np.ndarray) -> np.ndarray:
    return a + SECOND


def joined(a: np.ndarray) -> np.ndarray:
    return np.concatenate([SECOND, a], axis=1)


@pytest.mark.parametrize("combined", [summed, joined])
def test_fault_of_a_branch_is_found_in_the_sum_and_among_the_columns(combined) -> None:  # type: ignore[no-untyped-def]
    sides = (side(a, combined(a)) for a in (FIRST, WRONG))
    assert found(*sides) == Runs((1, 4), ())


def test_rewrite_before_another_fault_stays_absorbed() -> None:
    other = summed(FIRST) + RANDOM.normal(size=FIRST.shape)
    assert found(side(FIRST, summed(FIRST)), side(WRONG, other)) == Runs((4,), (1,))
