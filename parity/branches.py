"""Faults that pass by what agrees: branches that are computed beside each other. NumPy only.

In a sum or a concatenation of branches one may depart and the next agree. The oracle's values alone
cannot always tell that the next was not computed from the first (see `parity.localise`); but then
what departs after both differs by exactly what the first branch differs by.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from parity.localise import Runs
from parity.numerics import difference
from parity.timeline import Event

ALIKE = 1e-6
"""How near two differences have to be to be one: they are small, and have lost digits."""

Arrays = Mapping[str, np.ndarray]


def rejoined(
    split: Runs,
    events: tuple[Event, ...],
    compared: Collection[int],
    reference: Arrays,
    port: Arrays,
    run: str,
) -> Runs:
    """The runs, with a departure that was taken for absorbed where it is the fault's own.

    `compared` are the positions of all events that were compared.
    """
    if not split.fault or not split.absorbed or events[split.fault[0]].kind == "exit":
        return split
    later = _differences(events[split.fault[0]], reference, port, run)
    for i in reversed(split.absorbed):
        if events[i].kind != "exit":
            continue
        first = _differences(events[i], reference, port, run)
        if any(_is_part(one, other) for one in first for other in later):
            agreeing = set(compared) - {*split.absorbed, *split.fault}
            start = max((j for j in agreeing if j < i), default=-1)
            fault = tuple(j for j in split.absorbed if j >= start) + split.fault
            return replace(
                split, fault=fault, absorbed=tuple(j for j in split.absorbed if j < start)
            )
    return split


def _differences(event: Event, reference: Arrays, port: Arrays, run: str) -> list[np.ndarray]:
    names = [n for n in event.names(run) if n in reference and n in port]
    pairs = [(reference[name], port[name]) for name in names]
    return [
        port.astype(np.float64) - ours
        for ours, port in pairs
        if ours.shape == port.shape and ours.dtype.kind == "f" and ours.ndim
    ]


def _is_part(one: np.ndarray, whole: np.ndarray) -> bool:
    """Whether a difference is all of another, or all but zeros along one axis."""
    if one.ndim != whole.ndim or not one.any() or not np.isfinite(whole).all():
        return False
    return any(_same(_stripped(one, axis), _stripped(whole, axis)) for axis in range(one.ndim))


def _stripped(array: np.ndarray, axis: int) -> np.ndarray:
    """Without the slices that hold nothing but rounding."""
    others = tuple(i for i in range(array.ndim) if i != axis)
    sizes = np.abs(array).max(axis=others, initial=0.0)
    return array.compress(sizes > ALIKE * sizes.max(initial=0.0), axis=axis)


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and difference(one, other).error <= ALIKE
