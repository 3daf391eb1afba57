"""Initial values as PyTorch draws them."""

from __future__ import annotations

from collections.abc import Sequence

import jax
from flax import nnx
from jaxtyping import Array, Float


def uniform(rngs: nnx.Rngs, shape: Sequence[int], bound: float) -> nnx.Param[Float[Array, ...]]:
    """U(-bound, bound), float32."""
    return nnx.Param(jax.random.uniform(rngs.params(), tuple(shape), minval=-bound, maxval=bound))
