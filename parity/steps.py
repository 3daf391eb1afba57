"""Training steps as a capture holds them: what was before a step, and how far each tensor moved."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from parity.numerics import magnitude
from parity.stages.case import Case
from parity.tolerance import KIND_FLOOR, STRUCTURAL_ZERO, Measure

_SQUARES = ("exp_avg_sq", "square_avg", "sum")
"""Slots that hold squared gradients: Adam's and AdamW's, RMSprop's, Adagrad's."""

Arrays = Mapping[str, np.ndarray]


def update_steps(case: Case) -> list[int]:
    """The numbers of the update steps, from 1."""
    return list(case.evidence.truth.about.get("steps", {}).get("update", []))


def name_before(step: int, tensor: str) -> str:
    """The captures' name of a parameter before an update step."""
    return f"weight/{tensor}" if step == 1 else f"update/{step - 1}/parameter/{tensor}"


def structural_zeros(case: Case) -> frozenset[str]:
    """Parameters whose gradient is rounding alone in every update step of the oracle.

    The bias of a key in attention, and a bias before a batch norm, change nothing; their gradient
    would be exactly zero if numbers were exact.
    """
    return case.once(("structural zeros",), lambda: _structural_zeros(case))


def _structural_zeros(case: Case) -> frozenset[str]:
    zero: set[str] | None = None
    for step in update_steps(case):
        prefix = f"update/{step}/gradient"
        sizes = {
            n.removeprefix(f"{prefix}/"): magnitude([case.truth[n]]) for n in case.names(prefix)
        }
        largest = max(sizes.values(), default=0.0)
        here = {n for n, size in sizes.items() if 0 < size <= STRUCTURAL_ZERO * largest}
        zero = here if zero is None else zero & here
    return frozenset(zero or ())


def drift(case: Case, prefix: str, arrays: Arrays | None = None) -> float:
    """How far structurally zero parameters are apart under a prefix: rounding, amplified.

    `arrays` are those of another run than the port's.

    Adam divides a gradient by its own magnitude, so a gradient that is rounding alone becomes a
    step. Running means before which such a bias stands follow it one to one.
    """
    names = [f"{prefix}/parameter/{name}" for name in structural_zeros(case)]
    other: Arrays = case.port if arrays is None else arrays
    both = [n for n in names if n in case.truth and n in other]
    return magnitude(
        other[n].astype(np.float64) - case.truth[n].astype(np.float64)
        for n in both
        if other[n].shape == case.truth[n].shape
    )


def measure_changes(case: Case, step: int, forced: bool) -> dict[str, tuple[Measure, np.ndarray]]:
    """For each parameter how its change in a step compares, and the oracle's change.

    `forced`: of the optimizer alone, which starts from the oracle's parameters.

    Optimizers that divide by the gradient's own magnitude (Adam, RMSprop, Adagrad) turn a relative
    error of a small element into a whole step. So end to end their changes count in proportion to
    that divisor; given the same gradients, every element counts alike.
    """
    prefix = f"forced/update/{step}/parameter" if forced else f"update/{step}/parameter"
    tensors = [name.removeprefix(f"{prefix}/") for name in case.names(prefix)]
    changes = {t: _change(case.truth, case.truth, prefix, step, t) for t in tensors}
    floor = KIND_FLOOR * magnitude(change for change in changes.values() if change is not None)
    weights = {} if forced else divisors(case, f"update/{step}")
    if weights:
        weighted = (_weighted(change, weights.get(t)) for t, change in changes.items())
        floor = KIND_FLOOR * magnitude(change for change in weighted if change is not None)
    found = {}
    for tensor, change in changes.items():
        assert change is not None
        start = case.truth if forced else case.port
        mine = _change(case.port, start, prefix, step, tensor)
        allowance = case.ruler.parameter_allowance(case.truth[f"{prefix}/{tensor}"])
        runs = _runs(case, prefix, step, tensor, forced)
        weight = weights.get(tensor)
        expected = _weighted(change, weight)
        assert expected is not None
        runs = [moved for run in runs if (moved := _weighted(run, weight)) is not None]
        measure = case.ruler.compare(expected, _weighted(mine, weight), runs, floor, allowance)
        found[tensor] = (measure, change)
    return found


def divisors(case: Case, prefix: str) -> dict[str, np.ndarray]:
    """What an adaptive optimizer divides each element by, as a share of the model's largest.

    `prefix` is that of a step or a snapshot. Empty for optimizers that do not divide.
    """
    found: dict[str, np.ndarray] = {}
    for slot in _SQUARES:
        names = case.names(f"{prefix}/slot/{slot}")
        squares = {n.removeprefix(f"{prefix}/slot/{slot}/"): case.truth[n] for n in names}
        largest = magnitude(squares.values())
        if largest:
            found |= {n: np.sqrt(np.abs(square) / largest) for n, square in squares.items()}
    return found


def _weighted(change: np.ndarray | None, weight: np.ndarray | None) -> np.ndarray | None:
    if change is None or weight is None or change.shape != weight.shape:
        return change
    return change * weight


def _change(
    after: Arrays, before: Arrays, prefix: str, step: int, tensor: str
) -> np.ndarray | None:
    last, first = after.get(f"{prefix}/{tensor}"), before.get(name_before(step, tensor))
    if last is None or first is None:
        return None
    if last.shape != first.shape:
        return last
    return last.astype(np.float64) - first.astype(np.float64)


def _runs(case: Case, prefix: str, step: int, tensor: str, forced: bool) -> list[np.ndarray]:
    """The same change in the reference's own runs of a budget lane."""
    if case.ruler.proves:
        return []
    lasts = case.ruler.runs(f"{prefix}/{tensor}")
    if forced:
        firsts = [case.truth[name_before(step, tensor)]] * len(lasts)
    else:
        firsts = case.ruler.runs(name_before(step, tensor))
        if len(firsts) == 1:  # the noise runs start from weights that they do not repeat
            firsts = firsts * len(lasts)
    return [
        last.astype(np.float64) - first.astype(np.float64)
        for last, first in zip(lasts, firsts, strict=False)
    ]
