"""Steps of SGD as PyTorch takes them, and as people port them. Source: torch.optim.SGD."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from parity.hints.optimizers import History


@dataclass(frozen=True, kw_only=True)
class Constants:
    """What one tensor's SGD is made of, and what a variant does otherwise."""

    momentum: float = 0.0
    dampening: float = 0.0
    decay: float = 0.0
    nesterov: bool = False
    decay_after: bool = False
    """Decay is added to the step, not to the gradient that enters the buffer."""
    decay_unscaled: bool = False
    """Decay takes its share of the parameter whatever the learning rate."""
    average: bool = False
    """The buffer is an exponential average: the gradient enters with 1 - momentum."""
    rate_inside: bool = False
    """The buffer holds steps: the gradient enters it times the learning rate of its time."""
    late: bool = False
    """The learning rate is that of the step before."""


def step(history: History, c: Constants) -> np.ndarray:
    """The change of the last step."""
    buffer: np.ndarray | None = None
    change = np.zeros_like(history.gradients[-1])
    for k, (gradient, before) in enumerate(zip(history.gradients, history.before, strict=True)):
        rate = history.rates[max(k - 1, 0) if c.late else k]
        plain = c.decay_after or c.decay_unscaled
        given = gradient if plain else gradient + c.decay * before
        entering = given * rate if c.rate_inside else given
        share = 1 - c.momentum if c.average else 1 - c.dampening
        if not c.momentum:
            direction = entering
        else:
            first = entering * (share if c.average else 1.0)
            buffer = first if buffer is None else c.momentum * buffer + share * entering
            direction = entering + c.momentum * buffer if c.nesterov else buffer
        change = -direction if c.rate_inside else -rate * direction
        if plain:
            change = change - c.decay * before * (1.0 if c.decay_unscaled else rate)
    return change


def sgd_constants(history: History) -> Constants | None:
    """Momentum, dampening, decay and Nesterov of the reference, from its own numbers."""
    first, parameter, rate = history.gradients[0], history.before[0], history.rates[0]
    buffers = history.slots.get("momentum_buffer", [])
    if not buffers:
        decay = _fit(-history.changes[0] / rate - first, parameter)
        return _checked(history, Constants(decay=decay[0]))
    decay = _fit(buffers[0] - first, parameter)[0]
    if len(buffers) < 2:
        # One step shows neither momentum nor dampening; Nesterov's shows 1 + momentum.
        times = _fit(-history.changes[0] / rate, buffers[0])[0]
        nesterov = abs(times - 1) > 1e-6
        guess = times - 1 if nesterov else 0.9
        return _checked(history, Constants(momentum=guess, decay=decay, nesterov=nesterov))
    given = history.gradients[1] + decay * history.before[1]
    momentum, share = _fit(buffers[1], buffers[0], given)
    found = Constants(momentum=momentum, dampening=1 - share, decay=decay)
    return _checked(history, found) or _checked(history, replace(found, nesterov=True))


def sgd_changes(history: History, c: Constants) -> list[tuple[int, str, np.ndarray]]:
    """The last change under each variant: bug, words, change."""
    words: list[tuple[int, str, Constants]] = []
    if c.decay:
        words += [
            (41, "SGD without weight decay", replace(c, decay=0.0)),
            (42, "weight decay added after momentum", replace(c, decay_after=True)),
            (43, "weight decay not scaled by the learning rate", replace(c, decay_unscaled=True)),
        ]
    else:
        words += [
            (
                41,
                f"SGD with weight decay {decay:g}, which the reference has not",
                replace(c, decay=decay),
            )
            for decay in (1e-4, 5e-4, 1e-3, 1e-2)
        ]
    if c.momentum:
        words += [
            (46, "SGD without momentum", replace(c, momentum=0.0, nesterov=False)),
            (
                46,
                "Nesterov momentum" if not c.nesterov else "plain momentum instead of Nesterov's",
                replace(c, nesterov=not c.nesterov),
            ),
            (46, "an exponential average (gradients times 1 - momentum)", replace(c, average=True)),
            (44, "momentum with the learning rate inside the buffer", replace(c, rate_inside=True)),
        ]
    else:
        words += [(46, f"momentum {m:g}, which the reference has not", replace(c, momentum=m))
                  for m in (0.9, 0.99)]  # fmt: skip
    if c.dampening:
        words.append((46, "momentum without dampening", replace(c, dampening=0.0)))
    words.append((45, "the learning rate of the step before", replace(c, late=True)))
    return [(bug, text, step(history, variant)) for bug, text, variant in words]


def _checked(history: History, c: Constants) -> Constants | None:
    """The constants, tidied, if they explain the reference's own step."""
    tidy = replace(
        c,
        momentum=_round(c.momentum),
        dampening=_round(c.dampening),
        decay=_round(c.decay),
    )
    found, expected = step(history, tidy), history.changes[-1]
    scale = float(np.abs(expected).max(initial=0.0))
    return tidy if np.abs(found - expected).max(initial=0.0) <= 1e-6 * scale else None


def _fit(values: np.ndarray, *bases: np.ndarray) -> np.ndarray:
    """Least squares without a constant."""
    matrix = np.stack([base.ravel() for base in bases], axis=1).astype(np.float64)
    return np.linalg.lstsq(matrix, values.ravel().astype(np.float64), rcond=None)[0]


def _round(value: float) -> float:
    """To seven digits, and to 0 what is rounding alone."""
    return 0.0 if abs(value) < 1e-9 else float(f"{value:.7g}")
