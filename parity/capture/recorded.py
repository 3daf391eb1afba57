"""What a side's own training recorded, as arrays. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from parity.pair import PairError


def recorded_losses(recorded: Mapping[str, Any], role: str) -> np.ndarray:
    """The loss of every step of an epoch. Raises `PairError` where they are not there."""
    if not isinstance(recorded, Mapping) or "losses" not in recorded:
        found = sorted(recorded) if isinstance(recorded, Mapping) else type(recorded).__name__
        raise PairError(f"{role}: epoch returned {found}, expected a dict with 'losses'")
    return np.atleast_1d(np.asarray(recorded["losses"]))


def record_arrays(
    epoch: int, recorded: Mapping[str, Any], tested: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """What was recorded beside the losses, as a capture names it."""
    values = {n: v for n, v in recorded.items() if n != "losses"}
    values |= {f"test.{n}": v for n, v in tested.items()}
    return {f"trajectory/record/{epoch}/{name}": np.asarray(v) for name, v in values.items()}
