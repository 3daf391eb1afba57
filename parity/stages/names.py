"""The stages by name, in the order in which they are judged. NumPy only."""

from __future__ import annotations

from collections.abc import Iterable

from experiment.errors import UserError
from parity.evidence import PROOF_LANE

STAGES = (
    "config", "data", "weights", "init", "forward", "loss", "gradient", "update", "state", "eval",
    "trajectory", "envelope",
)  # fmt: skip
"""The first that fails names the bug."""

SELF_CHECKS = "self-checks"
"""Judged before all others; it cannot be left out."""

_ONLY_PROOF = ("data", "weights", "init", "trajectory")
_ONLY_BUDGET = ("envelope",)


class StageError(UserError):
    """A stage that does not exist."""


def stages_of(lane: str) -> tuple[str, ...]:
    """The stages that a lane judges."""
    left_out = _ONLY_BUDGET if lane == PROOF_LANE else _ONLY_PROOF
    return tuple(name for name in STAGES if name not in left_out)


def check_stages(names: Iterable[str]) -> frozenset[str]:
    """The names as a set. Raises `StageError` for one that is no stage, and for none at all."""
    chosen = frozenset(names)
    unknown = sorted(chosen - set(STAGES))
    if unknown or not chosen:
        found = ", ".join(repr(name) for name in unknown) or "none"
        raise StageError(f"--stages: found {found}, expected some of {', '.join(STAGES)}")
    return chosen
