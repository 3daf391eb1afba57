"""Optimizers with another rule: known variants, recomputed from the oracle's numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parity.hints.adam_variants import adam_changes, adam_constants
from parity.hints.arrays import BUDGET_MATCH, ratio, same
from parity.hints.clipping import clipping
from parity.hints.root_variants import root_changes, root_constants
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


@dataclass(frozen=True)
class Scene:
    """A step that departs: what led to it, and what the port made of it."""

    step: int
    history: History
    port: np.ndarray
    """The port's change."""


def sgd(case: Case, departure: Departure) -> Hint | None:
    """41 to 46: SGD with its decay, momentum or rate elsewhere."""
    scenes = _scenes(case, departure)
    if not scenes or scenes[0].history.slots.get("exp_avg"):
        return None
    # The last step shows most: one step alone tells no momentum from none.
    constants = sgd_constants(scenes[-1].history)
    if constants is None:
        return None
    return _first([sgd_changes(scene.history, constants) for scene in scenes], scenes)


def adam(case: Case, departure: Departure) -> Hint | None:
    """47, 48: Adam's decay as AdamW's, another decay, eps at another place."""
    scenes = _scenes(case, departure)
    if not scenes or not scenes[0].history.slots.get("exp_avg"):
        return None
    constants = adam_constants(scenes[-1].history)
    if constants is None:
        return None
    return _first([adam_changes(scene.history, constants) for scene in scenes], scenes)


def roots(case: Case, departure: Departure) -> Hint | None:
    """49: RMSprop and Adagrad with another decay, start, or eps at another place."""
    scenes = _scenes(case, departure)
    constants = root_constants(scenes[-1].history) if scenes else None
    if constants is None:
        return None
    return _first([root_changes(scene.history, constants) for scene in scenes], scenes)


def clipped(case: Case, departure: Departure) -> Hint | None:
    """50: gradients that one side clips, seen in the first step, before momentum mixes them."""
    scenes = _scenes(case, departure)
    if not scenes or scenes[0].step != update_steps(case)[0]:
        return None
    times = ratio(scenes[0].history.changes[-1], scenes[0].port, _TIGHT)
    names = case.names(f"update/{scenes[0].step}/gradient")
    if times is None or times <= 0 or abs(times - 1) <= _TIGHT:
        return None
    text = clipping([case.truth[name] for name in names], times)
    return Hint(bug=50, text=text) if text else None


def _first(variants: list[list[tuple[int, str, np.ndarray]]], scenes: list[Scene]) -> Hint | None:
    """The first variant that is the port's change in every step, else in the first that departs.

    `variants` has a list a scene, in the same order of variants.
    """
    first = scenes[0]
    fits = [
        [same(change, scene.port, _TIGHT) for _, _, change in found]
        for found, scene in zip(variants, scenes, strict=True)
    ]
    other = [not same(change, first.history.changes[-1], _TIGHT) for *_, change in variants[0]]
    for steps, words in ((fits, "the port's steps are"), (fits[:1], f"step {first.step} is")):
        for i, (bug, text, _) in enumerate(variants[0]):
            if other[i] and all(fit[i] for fit in steps):
                return Hint(bug=bug, text=f"{words} exactly what {text} gives")
    times = ratio(first.history.changes[-1], first.port, _TIGHT)
    if times is not None and abs(times - 1) > _TIGHT:
        whole = round(times) > 1 and abs(times - round(times)) <= _TIGHT * times
        why = ": a sum of gradients over devices, instead of their mean?" if whole else ""
        how = f"{times:.6g}" if abs(times - 1) > 1e-3 else f"1 {times - 1:+.3g}"
        text = f"the port's step is {how} times the reference's{why}"
        return Hint(bug=51 if whole else 0, text=text)
    return None


_TIGHT = BUDGET_MATCH / 100
"""Changes are differences of parameters; their own rounding is 1e-16 / 1e-3 of them or less."""


def _scenes(case: Case, departure: Departure) -> list[Scene]:
    """From the first step whose change departs, to the last: a wrong slot shows in a later one."""
    row = departure.row
    if row is None or not row.run.isdigit() or not case.ruler.proves:
        return []
    later = [step for step in update_steps(case) if step >= int(row.run)]
    scenes = [s for step in later if (s := _until(case, row.tensor, step)) is not None]
    wrong = (i for i, s in enumerate(scenes) if not same(s.history.changes[-1], s.port, _TIGHT))
    return scenes[next(wrong, len(scenes)) :]


def _until(case: Case, tensor: str, last: int) -> Scene | None:
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
    return Scene(last, history, mine - start[name_before(last, tensor)])
