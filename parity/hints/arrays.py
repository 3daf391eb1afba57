"""The two arrays that a departure shows, and whether arrays are equal but for rounding."""

from __future__ import annotations

import numpy as np

from parity.numerics import difference
from parity.stages.case import Case
from parity.verdict import Departure

PROOF_MATCH = 1e-9
"""Normwise error below which a pattern explains a departure in the proof lane."""

BUDGET_MATCH = 1e-4
"""The same in the float32 lanes."""


def match(case: Case) -> float:
    """How well a pattern has to fit in this lane."""
    return PROOF_MATCH if case.ruler.proves else BUDGET_MATCH


def shown(case: Case, departure: Departure) -> tuple[np.ndarray, np.ndarray] | None:
    """The reference's and the port's array of the departure's row, in float64; None without."""
    if departure.row is None:
        return None
    reference, port = (side.get(departure.row.name) for side in (case.truth, case.port))
    if reference is None or port is None:
        return None
    return reference.astype(np.float64), port.astype(np.float64)


def same(one: np.ndarray, other: np.ndarray, tolerance: float) -> bool:
    """Equal in shape, and in numbers up to a normwise tolerance."""
    return one.shape == other.shape and difference(one, other).error <= tolerance


def ratio(reference: np.ndarray, port: np.ndarray, tolerance: float) -> float | None:
    """The one number that the port is times the reference; None where there is none."""
    if reference.shape != port.shape or not np.isfinite(reference).all():
        return None
    total = float((reference * reference).sum())
    if not total or not np.isfinite(port).all():
        return None
    factor = float((reference * port).sum()) / total
    return factor if factor and same(reference * factor, port, tolerance) else None
