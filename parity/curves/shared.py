"""Judges the shared start: is the port inside the spread of the reference's own noise? NumPy only.

Both sides train the first epoch from the same weights over the same batches. Rounding alone makes
two right programs separate, exponentially at first; so does moving the reference's own weights by
one unit in the last place. How far the *noise runs* have gone until a step, at most, is the unit
of that step; the port may have gone `factor` units, and has to take as many steps.

A unit is at least a few roundings of the loss itself (`FLOOR_UNITS`, as in `parity.tolerance`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from parity.curves.results import SharedStart
from parity.tolerance import FLOOR_UNITS, UNIT_ROUNDOFF

LAYERS = 5
"""Layers with parameters on the way to the loss: their roundings add up like a random walk."""

Series = Sequence[float]


def judge(
    seed: int, reference: Series, port: Series, noise: Sequence[Series], factor: float
) -> SharedStart:
    """Inside or outside, and by how much. Losses by step; there is at least one noise run.

    Raises `ValueError` where a noise run has another number of steps than the reference.
    """
    unit = units(reference, noise)
    steps = min(len(reference), len(port))
    needs = reach(reference[:steps], port[:steps]) / unit[:steps]
    outside = np.flatnonzero(~(needs <= factor))
    first = int(outside[0]) + 1 if outside.size else None
    if first is None and len(port) != len(reference):
        first = steps + 1
    worst = int(np.argmax(needs))
    return SharedStart(
        seed=seed,
        outcome="inside" if first is None else "outside",
        text=_text(len(reference), len(port), len(noise), first, float(needs[worst]), factor),
        factor=factor,
        needed=float(needs[worst]),
        worst_step=worst + 1,
        first_outside=first,
        reference=tuple(reference),
        port=tuple(port),
        noise=tuple(map(tuple, noise)),
        noise_needed=noise_needed(reference, noise),
        envelope=tuple(map(float, factor * unit)),
    )


def reach(reference: Series, other: Series) -> np.ndarray:
    """By step: the largest distance of the losses so far."""
    return np.maximum.accumulate(np.abs(np.asarray(other, float) - np.asarray(reference, float)))


def units(reference: Series, noise: Sequence[Series]) -> np.ndarray:
    """By step: how far the noise runs have gone at most, and at least the rounding of a loss."""
    if any(len(run) != len(reference) for run in noise):
        raise ValueError("a noise run with another number of steps than the reference")
    loss = np.maximum.accumulate(np.abs(np.asarray(reference, float)))
    floor = FLOOR_UNITS * UNIT_ROUNDOFF["float32"] * np.sqrt(LAYERS) * loss
    return np.max([floor, *(reach(reference, run) for run in noise)], axis=0)


def noise_needed(reference: Series, noise: Sequence[Series]) -> tuple[float, ...]:
    """The factor that each noise run would need among the others: what a right run needs."""
    if len(noise) < 2:
        return ()
    found = []
    for i, run in enumerate(noise):
        others = [*noise[:i], *noise[i + 1 :]]
        found.append(float(np.max(reach(reference, run) / units(reference, others))))
    return tuple(found)


def _text(
    steps: int, port_steps: int, runs: int, first: int | None, needed: float, factor: float
) -> str:
    if first is None:
        return (
            f"over the {steps:,} steps of the first epoch the port stays within {needed:.2g} times "
            f"the noise of {runs} runs of the reference ({factor:g} times are allowed)"
        )
    if first > min(steps, port_steps):
        return f"the port takes {port_steps:,} steps in the first epoch, the reference {steps:,}"
    return (
        f"the port leaves the noise of {runs} runs of the reference at step {first:,} of "
        f"{steps:,}, and would need {needed:.2g} times that noise ({factor:g} times are allowed)"
    )
