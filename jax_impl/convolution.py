"""A convolution that XLA compiles well on CPUs, for `nnx.Conv(conv_general_dilated=...)`.

XLA:CPU runs the gradient of a convolution inside a loop 30 to 100 times slower than outside one
(github.com/jax-ml/jax/issues/12868), and our whole epoch is a loop. Written as patches times
kernel, the same convolution is a matrix product, which it runs at full speed anywhere. GPUs have no
such trap and take the convolution as it is. PyTorch needs nothing of this: the file has no twin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float


def conv_general_dilated(
    lhs: Float[Array, "n h w c"],
    rhs: Float[Array, "kh kw c o"],
    window_strides: Sequence[int],
    padding: Any,
    **options: Any,
) -> Float[Array, "n oh ow o"]:
    """`jax.lax.conv_general_dilated` for NHWC pictures, as a matrix product on CPUs.

    Anything but a plain convolution (stride 1, no padding, no dilation, one group) goes to `lax`
    on every device.
    """

    def by_lax(lhs: Array, rhs: Array) -> Array:
        return lax.conv_general_dilated(lhs, rhs, window_strides, padding, **options)

    if not _is_plain(window_strides, padding, options):
        return by_lax(lhs, rhs)
    return lax.platform_dependent(lhs, rhs, cpu=_patches_times_kernel, default=by_lax)


def _is_plain(window_strides: Sequence[int], padding: Any, options: dict[str, Any]) -> bool:
    return (
        set(window_strides) == {1}
        and padding == "VALID"
        and set(options.get("lhs_dilation") or (1,)) == {1}
        and set(options.get("rhs_dilation") or (1,)) == {1}
        and options.get("feature_group_count", 1) == 1
    )


def _patches_times_kernel(
    lhs: Float[Array, "n h w c"], rhs: Float[Array, "kh kw c o"]
) -> Float[Array, "n oh ow o"]:
    n, h, w, c = lhs.shape
    kh, kw, _, o = rhs.shape
    oh, ow = h - kh + 1, w - kw + 1
    windows = [lhs[:, i : i + oh, j : j + ow] for i in range(kh) for j in range(kw)]
    patches = jnp.concatenate(windows, axis=-1)  # (n, oh, ow, kh * kw * c)
    product = patches.reshape(n * oh * ow, kh * kw * c) @ rhs.reshape(kh * kw * c, o)
    return product.reshape(n, oh, ow, o)
