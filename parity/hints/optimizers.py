"""Optimizers with another rule: known variants, recomputed from the oracle's numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parity.hints.adam_variants import adam_changes, adam_constants
from parity.hints.arrays import BUDGET_MATCH, ratio, same
from parity.hints.sgd_variants import sgd_changes, sgd_constants
from parity.stages.case import Case
from parity.steps import name_before, update_steps
from parity.verdict import Departure, Hint


@dataclass(frozen=True)
class History:
    """One tensor's way through the update steps, as the oracle has it, up to the departing step."""

    before: list[np.ndarray]
    """The parameter before each step."""
    gradients: list[np.ndarray]
    rates: list[float]
    changes: list[np.ndarray]
    """The oracle's."""
    slots: dict[str, list[np.ndarray]]
    """After each step."""


def sgd(case: Case, departure: Departure) -> Hint | None:
    """41 to 46: SGD with its decay, momentum or rate elsewhere."""
    found = _scene(case, departure)
    if found is None or found[0].slots.get("exp_avg"):
        return None
    history, port = found
    constants = sgd_constants(history)
    return _first(sgd_changes(history, constants), history, port) if constants else None


def adam(case: Case, departure: Departure) -> Hint | None:
    """47, 48: Adam's decay as AdamW's, another decay, eps at another place."""
    found = _scene(case, departure)
    if found is None or not found[0].slots.get("exp_avg"):
        return None
    history, port = found
    constants = adam_constants(history)
    return _first(adam_changes(history, constants), history, port) if constants else None


def _first(
    variants: list[tuple[int, str, np.ndarray]], history: History, port: np.ndarray
) -> Hint | None:
    """The first variant that is the port's change, and not the reference's."""
    for bug, text, change in variants:
        if same(change, port, _TIGHT) and not same(change, history.changes[-1], _TIGHT):
            return Hint(bug=bug, text=f"the port's step is exactly that of {text}")
    times = ratio(history.changes[-1], port, _TIGHT)
    if times is not None and abs(times - 1) > _TIGHT:
        return Hint(bug=51, text=f"the port's step is {times:.6g} times the reference's")
    return None


_TIGHT = BUDGET_MATCH / 100
"""Changes are differences of parameters; their own rounding is 1e-16 / 1e-3 of them or less."""


def _scene(case: Case, departure: Departure) -> tuple[History, np.ndarray] | None:
    """What the first step shows whose change departs: a wrong slot shows in a later one."""
    row = departure.row
    if row is None or not row.run.isdigit() or not case.ruler.proves:
        return None
    later = [step for step in update_steps(case) if step >= int(row.run)]
    scenes = filter(None, (_until(case, row.tensor, step) for step in later))
    return next((s for s in scenes if not same(s[0].changes[-1], s[1], _TIGHT)), None)


def _until(case: Case, tensor: str, last: int) -> tuple[History, np.ndarray] | None:
    """The oracle's history up to a step, and the port's change in it."""
    steps = [step for step in update_steps(case) if step <= last]
    names = {
        "before": [name_before(step, tensor) for step in steps],
        "gradients": [f"update/{step}/gradient/{tensor}" for step in steps],
        "after": [f"update/{step}/parameter/{tensor}" for step in steps],
    }
    if any(name not in case.truth for group in names.values() for name in group):
        return None
    arrays = {key: [case.truth[name] for name in group] for key, group in names.items()}
    rates = case.evidence.truth.about.get("steps", {}).get("rates", [])
    slots = {
        slot: [
            case.truth[name]
            for step in steps
            if (name := f"update/{step}/slot/{slot}/{tensor}") in case.truth
        ]
        for slot in case.evidence.truth.about.get("slots", [])
    }
    changes = [
        after - before for after, before in zip(arrays["after"], arrays["before"], strict=True)
    ]
    forced = case.port.get(f"forced/update/{last}/parameter/{tensor}")
    mine = case.port.get(f"update/{last}/parameter/{tensor}") if forced is None else forced
    if mine is None or len(rates) < len(steps) or mine.shape != changes[-1].shape:
        return None
    start = case.truth if forced is not None else case.port
    history = History(
        arrays["before"], arrays["gradients"], list(rates[: len(steps)]), changes, slots
    )
    return history, mine - start[name_before(last, tensor)]
