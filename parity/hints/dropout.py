"""Dropout that is on when it should be off, or that draws no new masks."""

from __future__ import annotations

from parity.hints.arrays import shown
from parity.stages.case import Case
from parity.verdict import Departure, Hint


def in_eval(case: Case, departure: Departure) -> Hint | None:
    """59: zeros behind a dropout layer in eval mode."""
    found, row = shown(case, departure), departure.row
    if found is None or row is None or row.run != "eval" or found[0].shape != found[1].shape:
        return None
    if "Dropout" not in case.layers.get(departure.layer, ""):
        return None
    dropped = (found[1] == 0) & (found[0] != 0)
    if not dropped.any():
        return None
    text = f"{dropped.mean():.0%} of what passes is zero in eval mode: dropout is still on"
    return Hint(bug=59, text=f"{text} (deterministic=False wins over model.eval())")


def same_mask(case: Case, departure: Departure) -> Hint | None:
    """59: the self-check saw a layer draw one mask twice."""
    if "the same mask in two calls" not in departure.text:
        return None
    text = "one random key for all steps: let nnx.Dropout draw from its own stream (rngs)"
    return Hint(bug=59, text=text)
