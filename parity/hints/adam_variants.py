"""Steps of Adam as PyTorch takes them, and as people port them. Source: torch.optim.Adam."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from parity.hints.optimizers import History

_EPS = (1e-8, 1e-7, 1e-6, 1e-5, 1e-3)


@dataclass(frozen=True, kw_only=True)
class Constants:
    """What one tensor's Adam is made of, and what a variant does otherwise."""

    beta1: float
    beta2: float
    eps: float = 1e-8
    l2: float = 0.0
    """Decay added to the gradient: Adam's."""
    decoupled: float = 0.0
    """Decay of the parameter itself: AdamW's."""
    root: bool = False
    """eps inside the square root."""
    uncorrected: bool = False
    """Without the correction of the averages' start."""


def step(history: History, c: Constants) -> np.ndarray:
    """The change of the last step."""
    mean = square = np.zeros_like(history.gradients[0])
    for gradient, before in zip(history.gradients, history.before, strict=True):
        given = gradient + c.l2 * before
        mean = c.beta1 * mean + (1 - c.beta1) * given
        square = c.beta2 * square + (1 - c.beta2) * given * given
    count, rate = len(history.gradients), history.rates[-1]
    if not c.uncorrected:
        mean, square = mean / (1 - c.beta1**count), square / (1 - c.beta2**count)
    below = np.sqrt(square + c.eps) if c.root else np.sqrt(square) + c.eps
    return -rate * (mean / below + c.decoupled * history.before[-1])


def adam_constants(history: History) -> Constants | None:
    """The reference's, from its own numbers."""
    means, squares = history.slots.get("exp_avg", []), history.slots.get("exp_avg_sq", [])
    if not means or not squares:
        return None
    share, decay = _fit(means[0], history.gradients[0], history.before[0])
    l2 = decay / share if abs(decay) > 1e-9 * abs(share) else 0.0
    given = history.gradients[0] + l2 * history.before[0]
    other = _fit(squares[0], given * given)[0]
    found = Constants(beta1=_round(1 - share), beta2=_round(1 - other), l2=_round(l2))
    for eps in _EPS:
        plain = step(history, replace(found, eps=eps))
        rest = (history.changes[-1] - plain) / -history.rates[-1]
        decoupled = _round(_fit(rest, history.before[-1])[0])
        whole = replace(found, eps=eps, decoupled=0.0 if abs(decoupled) < 1e-7 else decoupled)
        if _close(step(history, whole), history.changes[-1]):
            return whole
    return None


def adam_changes(history: History, c: Constants) -> list[tuple[int, str, np.ndarray]]:
    """The last change under each variant: bug, words, change."""
    decay = c.l2 or c.decoupled
    bare = replace(c, l2=0.0, decoupled=0.0)
    words = [
        (47, "AdamW's decay where the reference's is Adam's (L2)", replace(bare, decoupled=decay))
        if c.l2
        else (47, "Adam's decay (L2) where the reference's is AdamW's", replace(bare, l2=decay)),
        (41, "Adam without weight decay", bare),
        *(
            (47, f"decay {d:g} instead of {decay:g}", replace(bare, decoupled=d))
            for d in (1e-4, 1e-2)
        ),
        (48, "Adam with eps inside the square root (eps_root)", replace(c, root=True)),
        *(
            (48, f"Adam with eps {e:g} instead of {c.eps:g}", replace(c, eps=e))
            for e in (0.0, *_EPS)
        ),
        (48, "Adam without bias correction", replace(c, uncorrected=True)),
    ]
    return [(bug, text, step(history, variant)) for bug, text, variant in words]


def _close(one: np.ndarray, other: np.ndarray) -> bool:
    scale = float(np.abs(other).max(initial=0.0))
    return bool(np.abs(one - other).max(initial=0.0) <= 1e-6 * scale)


def _fit(values: np.ndarray, *bases: np.ndarray) -> np.ndarray:
    matrix = np.stack([base.ravel() for base in bases], axis=1).astype(np.float64)
    return np.linalg.lstsq(matrix, values.ravel().astype(np.float64), rcond=None)[0]


def _round(value: float) -> float:
    return 0.0 if abs(value) < 1e-9 else float(f"{value:.7g}")
