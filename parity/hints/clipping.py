"""Gradients whose norm one side limits: torch.nn.utils.clip_grad_norm_, optax.clip_by_global_norm.

A step from clipped gradients is the other side's times one number for all tensors. It is told from
other factors by the limit that it means, which people choose as a number of few digits.
"""

from __future__ import annotations

import numpy as np

_TORCH_EPS = 1e-6
"""What clip_grad_norm_ adds to the norm."""

_DIGITS = 3
"""Of a limit that somebody chose."""

_ROUND = 1e-8
"""How near to it the limit that a step means has to be, relatively."""


def clipping(gradients: list[np.ndarray], times: float) -> str:
    """What clips these gradients, of one step and all tensors; '' where that explains nothing.

    `times` is the port's step as a multiple of the reference's.
    """
    norm = float(np.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in gradients)))
    clips, other = ("reference", "port") if times > 1 else ("port", "reference")
    share = 1 / times if times > 1 else times
    for below in (norm + _TORCH_EPS, norm):
        limit = share * below
        chosen = float(f"{limit:.{_DIGITS}g}")
        if 0 < chosen < norm and abs(limit - chosen) <= _ROUND * chosen:
            return (
                f"the {clips} limits the norm of all gradients, {norm:.4g} here, to {chosen:g}; "
                f"the {other} does not"
            )
    return ""
