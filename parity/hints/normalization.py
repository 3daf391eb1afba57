"""Normalisations that take other statistics, or lose the digits of the variance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from parity.hints.arrays import match, same, shown
from parity.stages.case import Case
from parity.verdict import Departure, Hint

_CANCELLED = 1e4
"""Squared mean over variance below which a cancellation is no cause: it loses four digits there."""


def mode_swapped(case: Case, departure: Departure) -> Hint | None:
    """21: a batch-norm takes the batch's statistics where it should take the running ones."""
    found, row = _site(case, departure, "BatchNorm"), departure.row
    if found is None or row is None:
        return None
    given, port, settings = found
    if row.run == "train":
        mean, variance = (
            case.truth.get(f"weight/{departure.layer}.running_{what}") for what in ("mean", "var")
        )
        used, mode = "running statistics", "training"
    else:
        axes = (0, *range(2, given.ndim))
        mean, variance = given.mean(axes), given.var(axes)
        used, mode = "statistics of the batch", "eval"
    if mean is None or variance is None:
        return None
    shape = _per_channel(given)
    y = (given - mean.reshape(shape)) / np.sqrt(variance.reshape(shape) + settings["eps"])
    weight, bias = _affine(case, departure, given)
    if not same(y * weight + bias, port, match(case)):
        return None
    text = f"the port takes the {used} in {mode} mode: the flag is swapped"
    return Hint(bug=21, text=f"{text} (use_running_average is not PyTorch's training)")


def fast_variance(case: Case, departure: Departure) -> Hint | None:
    """20: E[x^2] - E[x]^2, of numbers far from zero."""
    found, arrays = _site(case, departure, "BatchNorm"), shown(case, departure)
    if found is None or arrays is None or departure.row is None or departure.row.run != "train":
        return None
    given = np.moveaxis(found[0], 1, 0).reshape(found[0].shape[1], -1)
    weight, bias = _affine(case, departure, found[0])
    ours, theirs = (
        np.moveaxis((a - bias) / weight, 1, 0).reshape(given.shape) for a in (arrays[0], found[1])
    )
    scale = (ours * theirs).sum(1) / (ours * ours).sum(1)
    apart = np.abs(theirs - scale[:, None] * ours).max() > 0.01 * np.abs(theirs - ours).max()
    lost = given.mean(1) ** 2 / (given.var(1) + found[2]["eps"])
    digits = np.finfo(np.float64 if case.ruler.proves else np.float32).eps
    if apart or lost.max() < _CANCELLED or (np.abs(scale**-2 - 1) > 16 * digits * lost).any():
        return None
    text = (
        f"every channel is scaled a little otherwise, by what a variance computed as E[x^2] - "
        f"E[x]^2 loses where the mean is {np.sqrt(lost.max()):.0e} times the deviation "
        "(use_fast_variance=False)"
    )
    return Hint(bug=20, text=text)


def _site(
    case: Case, departure: Departure, kind: str
) -> tuple[np.ndarray, np.ndarray, Mapping[str, Any]] | None:
    """What a layer of that kind is given, what the port's returns, and the reference's settings."""
    row, structure = departure.row, case.structure
    if row is None or "/exit/" not in row.name or structure is None:
        return None
    module = next((m for m in structure.modules if m.path == departure.layer), None)
    if module is None or kind not in module.kind or "eps" not in module.settings:
        return None
    given = case.truth.get(row.name.replace("/exit/", "/enter/"))
    port = case.port.get(row.name)
    if given is None or port is None or given.shape != port.shape or given.ndim < 2:
        return None
    return given.astype(np.float64), port.astype(np.float64), module.settings


def _affine(case: Case, departure: Departure, given: np.ndarray) -> tuple[Any, Any]:
    """Weight and bias of the layer, ready for (n, c, ...)."""
    arrays = (case.truth.get(f"weight/{departure.layer}.{name}") for name in ("weight", "bias"))
    weight, bias = (None if a is None else a.reshape(_per_channel(given)) for a in arrays)
    return 1.0 if weight is None else weight, 0.0 if bias is None else bias


def _per_channel(given: np.ndarray) -> tuple[int, ...]:
    return (1, -1, *(1 for _ in range(given.ndim - 2)))
