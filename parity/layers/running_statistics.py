"""Running statistics as PyTorch keeps them."""

from __future__ import annotations

from flax import nnx
from jaxtyping import Array, Float


def follow(
    running: nnx.BatchStat[Float[Array, c]], value: Float[Array, c], momentum: float
) -> None:
    """Move a running statistic to a new value by PyTorch's momentum, the share of the new one."""
    running.set_value((1 - momentum) * running.get_value() + momentum * value)
