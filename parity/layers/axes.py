"""One number for every spatial axis."""

from __future__ import annotations

from collections.abc import Sequence


def per_axis(value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """One number for all axes, or one for each. Raises ValueError for another count."""
    values = (value,) * axes if isinstance(value, int) else tuple(value)
    if len(values) != axes:
        raise ValueError(f"expected one number or {axes}, found {values}")
    return values
