"""Settings that differ between the sides, where a stage departs at their layer."""

from __future__ import annotations

from parity.stages.case import Case
from parity.verdict import Departure, Hint


def suspect(case: Case, departure: Departure) -> Hint | None:
    """The layer's settings differ: that is the likely cause."""
    if not departure.suspects:
        return None
    texts = "; ".join(suspect.text for suspect in departure.suspects)
    return Hint(bug=departure.suspects[0].bug or 0, text=f"its settings differ: {texts}")


def precision(case: Case, departure: Departure) -> Hint | None:
    """56: float64 is off; 57: TF32 on one side."""
    if "x64" in departure.text or "needs float64" in departure.text:
        text = "JAX computes in float32 unless jax_enable_x64 is set before anything else"
        return Hint(bug=56, text=text)
    if "precision" in departure.text:
        text = "TF32 on one side: JAX's default in products and convolutions, PyTorch's in cuDNN's"
        return Hint(bug=57, text=text)
    return None
