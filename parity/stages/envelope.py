"""Stage envelope: the port's free run in float32, inside the spread of the reference's own.

Runs of *right* programs separate: rounding grows from step to step. The spread is the largest
distance of any of the reference's runs from the oracle, over the whole run: a value that crosses a
kink (a ReLU at 0) moves a run at once, and at which step that happens is chance. Five or so runs of
the reference need not cross one where the port does, so no departure below `KINK` is a fault: a
free run in float32 shows gross faults alone, and the proof is the trajectory in float64.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from parity.numerics import difference
from parity.stages.case import Case, count, departing
from parity.tolerance import KINK
from parity.verdict import Departure, Row, StageResult


def judge(case: Case) -> StageResult:
    """Losses of every step, and the last parameters."""
    runs = int(case.evidence.reference.about.get("noise_runs", 0))
    if not runs or "trajectory/losses" not in case.truth:
        return case.skipped(
            "envelope", "the reference's capture holds no noise runs to compare with"
        )
    steps = case.evidence.truth.about.get("steps", {}).get("trajectory", [])
    names = ["trajectory/losses"]
    if steps:
        names += case.names(f"trajectory/{steps[-1]}/parameter")
    spread = _relative_spread(case, names[1:])
    rows = [_row(case, name, spread) for name in names]
    departure = _departure(case, rows)
    found = f"{count(len(case.truth[names[0]]), 'step')}, {count(runs + 1, 'run')} of the reference"
    return case.result("envelope", rows, departure, departure.text if departure else found)


def _relative_spread(case: Case, names: list[str]) -> float:
    """The largest relative distance of the reference's runs from the oracle, over all parameters.

    One scale for all of them: which tensor a kink moves most is chance, too.
    """
    errors = [
        difference(case.truth[name], run).error for name in names for run in case.ruler.runs(name)
    ]
    return max((error for error in errors if np.isfinite(error)), default=0.0)


def _row(case: Case, name: str, spread: float) -> Row:
    measure = case.ruler.measure(name)
    unit = max(measure.unit, KINK / measure.limit)
    if name != "trajectory/losses":
        unit = max(unit, spread)
    measure = replace(measure, unit=unit)
    tensor = name.rpartition("/")[2]
    what = "losses of the free run" if tensor == "losses" else f"{tensor} at the end of it"
    layer = "" if tensor == "losses" else case.layer_of(tensor)
    return case.row(name, measure, what, run="trajectory", tensor=tensor, layer=layer)


def _departure(case: Case, rows: list[Row]) -> Departure | None:
    wrong = departing(rows)
    if not wrong:
        return None
    row = wrong[0]
    text = f"{row.what}: outside the spread of the reference's own runs"
    return case.departure("envelope", "step", row.layer, text, row)
