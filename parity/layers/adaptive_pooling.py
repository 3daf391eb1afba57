"""Average pooling to a given size."""

from __future__ import annotations

from collections.abc import Sequence

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float


def adaptive_avg_pool(
    x: Float[Array, "n *space c"], output_size: Sequence[int]
) -> Float[Array, "n *then c"]:
    """`torch.nn.functional.adaptive_avg_pool1d`, `2d` or `3d`, by the length of `output_size`.

    Window i of m on an axis of length n is from floor(i n / m) to ceil((i + 1) n / m).
    """
    for axis, size in enumerate(output_size, start=1):
        before = x.shape[axis]
        bounds = [(i * before // size, -(-(i + 1) * before // size)) for i in range(size)]
        means = [lax.slice_in_dim(x, a, b, axis=axis).mean(axis, keepdims=True) for a, b in bounds]
        x = jnp.concatenate(means, axis)
    return x
