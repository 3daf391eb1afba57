"""A free run's snapshots measured, and how much the training amplifies rounding. NumPy only.

A right port differs by rounding alone, and a training may amplify that: where the reference, its
weights and inputs moved by one unit in the last place, departs from itself, so does a right port.
The reference's capture holds such a run (`noise/0/trajectory/...`). It sets what is allowed, and
tells from which step on the training is chaotic and shows nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from parity.numerics import difference, magnitude
from parity.stages.case import Case
from parity.steps import divisors, drift, structural_zeros
from parity.tolerance import CHAOTIC, KIND_FLOOR, Measure, free_run_limit

LOSSES = "trajectory/losses"

_MOVED = "noise/0/"
"""What the names of the run from moved weights and inputs begin with."""

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Amplification:
    """How far the reference departs from itself, as the largest error so far."""

    losses: np.ndarray
    """(steps,)"""
    snapshots: Mapping[int, float]
    """By step: of all that a snapshot holds. One number for all: which tensor a kink moves most is
    chance."""
    records: Mapping[str, float]
    """By name in the captures."""

    @property
    def chaotic_from(self) -> int | None:
        """The first step at which it is beyond `CHAOTIC`; None where it never is."""
        beyond = [1 + int(i) for i in np.flatnonzero(~(self.losses <= CHAOTIC))[:1]]
        beyond += [step for step, own in self.snapshots.items() if not own <= CHAOTIC]
        return min(beyond, default=None)

    @property
    def largest(self) -> float:
        """At the end."""
        return max([*self.losses[-1:], *self.snapshots.values()], default=0.0)

    def judges(self, step: int) -> bool:
        """Whether what there is after a step shows anything."""
        return self.chaotic_from is None or step < self.chaotic_from

    def judges_record(self, name: str) -> bool:
        """The same of what was recorded."""
        return self.records.get(name, 0.0) <= CHAOTIC

    def limit(self, step: int) -> float:
        """The error that is allowed in a snapshot."""
        return free_run_limit(self.snapshots.get(step, 0.0))

    def limits(self) -> np.ndarray:
        """The error that is allowed in each step's loss."""
        return np.array([free_run_limit(float(own)) for own in self.losses])


def snapshots(case: Case) -> list[int]:
    """The steps after which the trajectory was looked at."""
    return list(case.evidence.truth.about.get("steps", {}).get("trajectory", []))


def amplification(case: Case) -> Amplification:
    """Of the reference's training; zeros where its capture holds no run of that kind."""
    moved = case.evidence.reference.under(_MOVED.rstrip("/"))
    steps, names = snapshots(case), case.names("trajectory/record")
    count = len(case.truth[LOSSES])
    if LOSSES not in moved:
        return Amplification(np.zeros(count), dict.fromkeys(steps, 0.0), {})
    errors = step_errors(case.truth[LOSSES], moved[LOSSES])
    zeros = structural_zeros(case)
    own, found = 0.0, {}
    for step in steps:
        measures = measure_snapshot(case, step, moved)
        errors_here = (m.needed for n, m in measures.items() if tensor_of(n) not in zeros)
        own = found[step] = _largest([own, *errors_here])
    records = {n: difference(case.truth[n], moved[n]).error for n in names if n in moved}
    return Amplification(_largest_so_far(errors), found, records)


def measure_snapshot(case: Case, step: int, arrays: Arrays) -> dict[str, Measure]:
    """Everything in a snapshot of the oracle against `arrays`, the port's or another run's."""
    prefix = f"trajectory/{step}"
    allowance, weights = drift(case, prefix, arrays), divisors(case, prefix)
    found = {}
    for name in case.names(prefix):
        kind, rest = name.removeprefix(f"{prefix}/").split("/", 1)
        truth, other, weight = case.truth[name], arrays.get(name), None
        floor = _slot_floor(case, name, rest) if kind == "slot" else 0.0
        if kind == "parameter":
            weight = weights.get(rest)
        if weight is not None and other is not None and other.shape == weight.shape:
            # An adaptive optimizer's: see `parity.steps.measure_changes`. The scale stays.
            floor, truth, other = magnitude([truth]), truth * weight, other * weight
        allowed = allowance if kind == "buffer" else 0.0
        found[name] = case.ruler.compare(truth, other, [], floor, allowed)
    return found


def step_errors(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """(steps,) (steps,) -> each step's error, as a share of the largest; NaN counts as infinite."""
    scale = magnitude([ours]) or 1.0
    errors = np.abs(theirs.astype(np.float64) - ours.astype(np.float64)) / scale
    return np.where(np.isnan(errors), np.inf, errors)


def tensor_of(name: str) -> str:
    """'trajectory/52/slot/exp_avg/fc.weight' -> 'fc.weight'."""
    kind, rest = name.split("/", 3)[2:]
    return rest.partition("/")[2] if kind == "slot" else rest


def _slot_floor(case: Case, name: str, rest: str) -> float:
    slot = name.removesuffix(f"/{rest.partition('/')[2]}")
    return KIND_FLOOR * magnitude(case.truth[n] for n in case.names(slot))


def _largest(errors: Iterable[float]) -> float:
    """Beyond all others where one is no number."""
    return max((error if error == error else float("inf") for error in errors), default=0.0)


def _largest_so_far(errors: np.ndarray) -> np.ndarray:
    return np.maximum.accumulate(errors) if errors.size else errors
