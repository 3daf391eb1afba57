"""Steps divided by a root of squared gradients: RMSprop's and Adagrad's, and what people port.

Sources: torch.optim.RMSprop, torch.optim.Adagrad, optax.scale_by_rms, optax.scale_by_rss.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from parity.hints.optimizers import History

_EPS = (1e-10, 1e-8, 1e-7, 1e-6, 1e-5, 1e-3)
_DECAYS = (0.9, 0.99, 0.999)
_STARTS = (0.1, 1.0)
"""Where Optax's and TensorFlow's averages of squares start."""


@dataclass(frozen=True, kw_only=True)
class Constants:
    """What one tensor's steps are made of, and what a variant does otherwise."""

    decay: float | None = None
    """Share of the average that stays: RMSprop's. None: squares are summed, Adagrad's."""
    eps: float = 1e-8
    start: float = 0.0
    """What the average or sum begins with."""
    root: bool = False
    """eps inside the square root."""


def step(history: History, c: Constants) -> np.ndarray:
    """The change of the last step."""
    square = np.full_like(history.gradients[0], c.start)
    for gradient in history.gradients:
        kept, share = (1.0, 1.0) if c.decay is None else (c.decay, 1 - c.decay)
        square = kept * square + share * gradient * gradient
    below = np.sqrt(square + c.eps) if c.root else np.sqrt(square) + c.eps
    return -history.rates[-1] * history.gradients[-1] / below


def root_constants(history: History) -> Constants | None:
    """The reference's, from its own numbers; None where it is neither, or has more to it."""
    averages, sums = history.slots.get("square_avg", []), history.slots.get("sum", [])
    squared = history.gradients[0] ** 2
    if averages and squared.any():
        decay = 1 - float((averages[0] * squared).sum() / (squared * squared).sum())
        found = Constants(decay=float(f"{decay:.7g}"))
    elif sums:
        start = float(np.median(sums[0] - squared))
        found = Constants(start=0.0 if abs(start) < 1e-9 else float(f"{start:.7g}"))
    else:
        return None
    for eps in _EPS:
        if _close(step(history, replace(found, eps=eps)), history.changes[-1]):
            return replace(found, eps=eps)
    return None


def root_changes(history: History, c: Constants) -> list[tuple[int, str, np.ndarray]]:
    """The last change under each variant: bug, words, change."""
    name = "Adagrad" if c.decay is None else "RMSprop"
    words = [(f"{name} with eps inside the square root", replace(c, root=True))]
    if c.decay is not None:
        words += [
            (f"RMSprop with decay {d:g} instead of {c.decay:g}", replace(c, decay=d, root=root))
            for d in _DECAYS
            for root in (False, True)
        ]
    for start in (*_STARTS, 0.0):
        text = f"{name} whose squares start at {start:g} instead of {c.start:g}"
        words.append((text, replace(c, start=start)))
        words += [
            (f"{text}, with eps {e:g} inside the root", replace(c, start=start, eps=e, root=True))
            for e in (c.eps, *_EPS)
        ]
    words += [(f"{name} with eps {e:g} instead of {c.eps:g}", replace(c, eps=e)) for e in _EPS]
    return [(49, text, step(history, variant)) for text, variant in words]


def _close(one: np.ndarray, other: np.ndarray) -> bool:
    scale = float(np.abs(other).max(initial=0.0))
    return bool(np.abs(one - other).max(initial=0.0) <= 1e-7 * scale)
