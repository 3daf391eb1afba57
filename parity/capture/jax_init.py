"""How the port initialises itself: its tensors over many seeds, in canonical form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from parity.bridge import flax_end
from parity.capture.initial import Initial, seeds_for

if TYPE_CHECKING:
    from parity.capture.from_jax import Side


def sample(side: Side) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Samples and statistics of every float tensor, as a capture has them."""
    from parity.capture.from_jax import build

    def drawn(seed: int) -> dict[str, np.ndarray]:
        return side.bridge.to_canonical(flax_end.export(build(side.pair, seed)))

    first = drawn(side.job.seed)
    initial = Initial(first, side.job.seed)
    for other in range(1, seeds_for(first)):
        initial.add(drawn(side.job.seed + 1000 * other))
    return initial.arrays(), initial.statistics()
