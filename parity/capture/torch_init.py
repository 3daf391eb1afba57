"""How the reference initialises itself: its tensors over many seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from parity.bridge.torch_end import export
from parity.capture.initial import Initial, seeds_for
from parity.pair import Pair


def sample(pair: Pair, seed: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Samples and statistics of every float tensor, as a capture has them."""
    from parity.capture.from_torch import build

    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        first = export(build(pair, seed))
        initial = Initial(first, seed)
        for other in range(1, seeds_for(first)):
            initial.add(export(build(pair, seed + 1000 * other)))
    finally:
        torch.set_default_dtype(default)
    return initial.arrays(), initial.statistics()
