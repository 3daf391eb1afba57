"""Max-pooling with PyTorch's rule for ties, compiled well inside a loop.

PyTorch has this as F.max_pool2d: the file has no twin.
"""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float


def max_pool_2x2(x: Float[Array, "n h w c"]) -> Float[Array, "n h/2 w/2 c"]:
    """2x2 max-pooling with stride 2, an odd last row or column dropped, as F.max_pool2d(x, 2).

    As in PyTorch the first maximum in row order takes the whole gradient, and NaN wins. A maximum
    over a reshaped axis would split the gradient among ties; `lax.reduce_window` picks the first
    too, but its gradient falls into the same trap as the convolution's.
    """
    _, h, w, _ = x.shape
    x = x[:, : h // 2 * 2, : w // 2 * 2]
    top = _first_maximum(x[:, ::2, ::2], x[:, ::2, 1::2])
    bottom_left, bottom_right = x[:, 1::2, ::2], x[:, 1::2, 1::2]
    return _first_maximum(_first_maximum(top, bottom_left), bottom_right)


def _first_maximum(a: Array, b: Array) -> Array:
    return jnp.where((b > a) | jnp.isnan(b), b, a)
