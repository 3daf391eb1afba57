"""Which of the events that depart is the first whose fault reaches the output. NumPy only.

A right port may compute something else *inside*: a module that includes its ReLU, an input padded
outside the layer. Then one event departs, and what is computed from it agrees again: the difference
is *absorbed*, and only noted. So departing events form runs; a run ends where an agreeing event
shows that what came of it is right. The run that holds the model's output is the fault, and its
first event is where to look.

An agreeing event shows that only if it was computed from what departed. A residual branch agrees
beside a broken one and shows nothing. There is no graph, but there are the oracle's values: an
array that equals, bit by bit, one from before the departure is independent of it, and so is what a
layer makes of independent arrays alone. Integers and constants (positions, masks, zero states) show
nothing either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from parity.timeline import Event, is_inside, layer_before


@dataclass(frozen=True)
class Runs:
    """Positions of departing events."""

    fault: tuple[int, ...]
    """Those whose difference reaches the model's output, in order; empty where none does."""
    absorbed: tuple[int, ...]
    """Those after which everything agrees again."""


def runs(
    events: tuple[Event, ...],
    departing: Collection[int],
    compared: Collection[int],
    arrays: Mapping[str, np.ndarray],
    run: str,
) -> Runs:
    """Split the departing events. `compared` are the positions of all that were compared,
    `arrays` the oracle's, `run` the pass."""
    ordered = sorted(departing)
    if len(events) - 1 not in departing:
        return Runs((), tuple(ordered))
    marks = _marks(events, arrays, run)
    start = len(ordered) - 1
    agreeing = set(compared) - set(departing)
    while start > 0 and not _absorbed(events, ordered[start - 1], ordered[start], agreeing, marks):
        start -= 1
    return Runs(tuple(ordered[start:]), tuple(ordered[:start]))


def _absorbed(
    events: tuple[Event, ...],
    first: int,
    then: int,
    agreeing: set[int],
    marks: list[tuple[str | None, ...]],
) -> bool:
    """Whether an event between two departing ones shows that the first has no effect any more."""
    independent = {mark for i in range(first) for mark in marks[i]}
    untouched: set[str] = set()  # calls entered since, with nothing but independent arrays
    for i in range(first + 1, then):
        event, found = events[i], marks[i]
        if event.kind == "enter":
            old = all(mark is None or mark in independent for mark in found)
            untouched |= {event.place} if old else set()
        else:
            old = event.place in untouched
            independent |= set(found) if old else set()
        if i in agreeing and not old and any(mark is not None for mark in found):
            return True
    return False


def _marks(
    events: tuple[Event, ...], arrays: Mapping[str, np.ndarray], run: str
) -> list[tuple[str | None, ...]]:
    """For each event its arrays' fingerprints; None for what shows nothing."""
    return [
        tuple(_mark(arrays[name]) for name in event.names(run) if name in arrays)
        for event in events
    ]


def _mark(array: np.ndarray) -> str | None:
    if array.dtype.kind != "f" or not array.size or (array == array.flat[0]).all():
        return None
    return hashlib.blake2b(np.ascontiguousarray(array).tobytes(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Culprit:
    """Where a forward fault is, in words and in layers."""

    place: str
    layer: str
    after: str
    text: str


def culprit(
    events: tuple[Event, ...],
    position: int,
    compared: Collection[int],
    arrays: Mapping[str, np.ndarray],
    run: str,
) -> Culprit:
    """Name the first event of a fault; the arguments as for `runs`."""
    event = events[position]
    before = layer_before(events, position)
    if event.kind != "exit" and (hidden := _hidden(events, position, compared, arrays, run)):
        return hidden
    if event.kind == "output":
        text = f"between {before or 'the inputs'} and the model's output"
        return Culprit("between", before, before, text)
    if event.kind == "enter":
        layer = _innermost(events, position, arrays, run)
        text = f"between {before or 'the inputs'} and {layer}: what {layer} is given departs"
        return Culprit("between", layer, before, text)
    looked_inside = any(
        is_inside(events[i].layer, event.layer) and events[i].kind == "exit" for i in compared
    )
    if event.is_leaf or not looked_inside:
        return Culprit("output", event.layer, before, f"{event.layer}: what it returns departs")
    text = f"in {event.layer}, between {before} and its end"
    return Culprit("between", event.layer, before, text)


def _hidden(
    events: tuple[Event, ...],
    position: int,
    compared: Collection[int],
    arrays: Mapping[str, np.ndarray],
    run: str,
) -> Culprit | None:
    """The layer that alone makes what departs of what agreed, and that the port does not show.

    An activation, mostly: a module in the reference, a function in the port. Where the oracle's
    values say that there is more between, as a flattening after a pooling, no layer is named.
    """
    left = next((i for i in range(position - 1, 0, -1) if events[i].kind == "exit"), 0)
    seen = next((i for i in range(left - 2, -1, -1) if i in compared), None)
    event, entered = events[left], events[left - 1]
    if left in compared or seen is None or not event.is_leaf or entered.place != event.place:
        return None
    given, made = _first(entered, arrays, run), _first(event, arrays, run)
    whole = np.array_equal(given, _first(events[seen], arrays, run))
    whole = whole and np.array_equal(made, _first(events[position], arrays, run))
    if not whole or np.array_equal(given.ravel(), made.ravel()):
        return None
    after = layer_before(events, left)
    layer = _innermost(events, position, arrays, run) if events[position].kind == "enter" else ""
    given_to = f"what {layer} is given" if layer else "the model's output"
    text = f"{event.layer}, between {after or 'the inputs'} and {layer or 'the end'}: {given_to} "
    return Culprit("output", event.layer, after, f"{text}departs")


def _innermost(
    events: tuple[Event, ...], position: int, arrays: Mapping[str, np.ndarray], run: str
) -> str:
    """The layer that really takes what a container was given."""
    layer, first = events[position].layer, _first(events[position], arrays, run)
    for event in events[position + 1 :]:
        same = event.kind == "enter" and np.array_equal(_first(event, arrays, run), first)
        if not same:
            break
        layer = event.layer
    return layer


def _first(event: Event, arrays: Mapping[str, np.ndarray], run: str) -> np.ndarray:
    names = [name for name in event.names(run) if name in arrays]
    return arrays[names[0]] if names else np.zeros(0)
