"""What a side's own training recorded, as arrays. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from parity.pair import PairError

_NUMBERS = "fiub"
"""Kinds of NumPy's dtypes that a capture holds."""


def recorded_losses(recorded: Mapping[str, Any], role: str) -> np.ndarray:
    """The loss of every step of an epoch. Raises `PairError` where they are not there."""
    if not isinstance(recorded, Mapping) or "losses" not in recorded:
        found = sorted(recorded) if isinstance(recorded, Mapping) else type(recorded).__name__
        raise PairError(f"{role}: epoch returned {found}, expected a dict with 'losses'")
    return np.atleast_1d(_numbers(recorded["losses"], f"{role}: epoch: 'losses'"))


def record_arrays(
    epoch: int, recorded: Mapping[str, Any], tested: Mapping[str, Any], role: str
) -> dict[str, np.ndarray]:
    """What was recorded beside the losses, as a capture names it.

    `role` is whose training it is. Raises `PairError` for what is neither number nor array.
    """
    if not isinstance(tested, Mapping):
        raise PairError(f"{role}: evaluate returned {type(tested).__name__}, expected a dict")
    values = {n: (v, "epoch") for n, v in recorded.items() if n != "losses"}
    values |= {f"test.{n}": (v, "evaluate") for n, v in tested.items()}
    return {
        f"trajectory/record/{epoch}/{name}": _numbers(
            value, f"{role}: {source}: {name.removeprefix('test.')!r}"
        )
        for name, (value, source) in values.items()
    }


def _numbers(value: Any, what: str) -> np.ndarray:
    """The value as an array. Raises `PairError` for one that is not made of numbers."""
    expected = "expected a number or an array of numbers; leave out of the record what is neither"
    try:
        array = np.asarray(value)
    except (RuntimeError, TypeError, ValueError) as error:  # ragged, on a GPU, or with a gradient
        raise PairError(f"{what}: found {type(value).__name__} ({error}), {expected}") from error
    if array.dtype.kind not in _NUMBERS:
        raise PairError(f"{what}: found {value!r:.80}, {expected}")
    return array
