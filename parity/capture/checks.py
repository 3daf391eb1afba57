"""Outcomes of self-checks. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def unlike(found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> list[str]:
    """The names in `found` whose arrays are not, bit by bit, those in `expected`."""
    return [name for name, array in found.items() if not _same(array, expected.get(name))]


def check(found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Whether all are the same, bit by bit, as a capture's header has it."""
    different = unlike(found, expected)
    shown = ", ".join(different[:3]) + ("..." if len(different) > 3 else "")
    detail = f"{len(different)} of {len(found)} differ: {shown}" if different else ""
    return outcome(not different and bool(found), detail or f"{len(found)} arrays are equal")


def outcome(passed: bool, detail: str) -> dict[str, Any]:
    """One check's outcome."""
    return {"passed": bool(passed), "detail": detail}


def _same(one: np.ndarray, other: np.ndarray | None) -> bool:
    if other is None or one.shape != other.shape or one.dtype != other.dtype:
        return False
    # Bits, but for NaN and the sign of zero.
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))
