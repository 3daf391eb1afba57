"""A cast to float32 on one side, in code that otherwise computes in float64."""

from __future__ import annotations

import numpy as np

from parity.hints.arrays import shown
from parity.numerics import difference
from parity.stages.case import Case
from parity.verdict import Departure, Hint

LEAST, MOST = 1e-9, 1e-6
"""Normwise errors that rounding to float32 leaves: at most 6e-8 of an element's magnitude, each."""

GIVEN = ("data", "weights", "init")
"""Stages whose numbers are float32's without any cast: both sides start from rounded ones."""

SPELLINGS = {"reference": ".float()", "port": ".astype(jnp.float32)"}


def to_float32(case: Case, departure: Departure) -> Hint | None:
    """All values of one side, and of that side alone, are float32 numbers, and the error is small.

    In the proof lane only; a value of a computation in float64 is a float32 number once in 2^29.
    """
    found = shown(case, departure)
    if found is None or not case.ruler.proves or departure.stage in GIVEN:
        return None
    if not LEAST <= difference(*found).error <= MOST:
        return None
    cast = [s for s, array in zip(SPELLINGS, found, strict=True) if _are_float32(array)]
    if len(cast) != 1:
        return None
    side, spelling = cast[0], SPELLINGS[cast[0]]
    text = (
        f"it agrees to float32 precision only, and every value of the {side} is a float32 number: "
        f"a cast to float32 ({spelling}) {_where(departure)}? Such a cast hides all smaller "
        "faults: leave it out of both models for the comparison, or cast to the dtype of the input"
    )
    return Hint(bug=0, text=text)


def _are_float32(array: np.ndarray) -> bool:
    finite = array[np.isfinite(array)]
    return bool(finite.size) and bool((finite.astype(np.float32) == finite).all())


def _where(departure: Departure) -> str:
    if departure.place == "between":
        before, then = departure.after or "the inputs", departure.layer
        if before == then:
            then = "the model's output"
        elif departure.row and "/exit/" in departure.row.name:
            then = f"the end of {then}"
        return f"between {before} and {then}"
    if departure.place == "backward":
        return f"in the backward pass of {departure.layer}"
    return f"in {departure.layer}" if departure.layer else "there"
