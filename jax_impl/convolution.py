"""A convolution that XLA compiles well on CPUs, for `nnx.Conv(conv_general_dilated=...)`.

XLA:CPU runs the gradient of a convolution inside a loop 30 to 100 times slower than outside one
(github.com/jax-ml/jax/issues/12868), and our whole epoch is a loop. Written as matrix products, the
same convolution runs at full speed anywhere:

- few input channels (the pictures): patches times kernel, one product;
- many: Winograd's minimal filtering, 16 small products with 2.25 times less arithmetic, and a third
  of the memory traffic of patches (A. Lavin, S. Gray, arxiv.org/abs/1509.09308, section 4.1).

GPUs have no such trap and take the convolution as it is. PyTorch needs nothing of this: the file
has no twin. What each of these brings is in docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

FEW_CHANNELS = 16
"""Below it the products of Winograd's method are too thin to pay."""

Grid = list[list[Array]]  # arrays by row and column

# Four inputs in a row and a kernel of three make two outputs: A^T [(G kernel) * (B^T inputs)].
_B = np.array([[1, 0, 0, 0], [0, 1, -1, 1], [-1, 1, 1, 0], [0, 0, 0, -1]])
_G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
_A = np.array([[1, 0], [1, 1], [1, -1], [0, -1]])


def conv_general_dilated(
    lhs: Float[Array, "n h w c"],
    rhs: Float[Array, "kh kw c o"],
    window_strides: Sequence[int],
    padding: Any,
    **options: Any,
) -> Float[Array, "n oh ow o"]:
    """`jax.lax.conv_general_dilated` for NHWC pictures, as matrix products on CPUs.

    Anything but a plain convolution (stride 1, no padding, no dilation, one group) goes to `lax`
    on every device.
    """

    def by_lax(lhs: Array, rhs: Array) -> Array:
        return lax.conv_general_dilated(lhs, rhs, window_strides, padding, **options)

    if not _is_plain(window_strides, padding, options):
        return by_lax(lhs, rhs)
    kh, kw, channels, _ = rhs.shape
    by_products = _winograd if (kh, kw) == (3, 3) and channels >= FEW_CHANNELS else _patches
    return lax.platform_dependent(lhs, rhs, cpu=by_products, default=by_lax)


def _is_plain(window_strides: Sequence[int], padding: Any, options: dict[str, Any]) -> bool:
    return (
        set(window_strides) == {1}
        and padding == "VALID"
        and set(options.get("lhs_dilation") or (1,)) == {1}
        and set(options.get("rhs_dilation") or (1,)) == {1}
        and options.get("feature_group_count", 1) == 1
    )


def _patches(
    lhs: Float[Array, "n h w c"], rhs: Float[Array, "kh kw c o"]
) -> Float[Array, "n oh ow o"]:
    """Every window of the picture as a row, times the kernel."""
    n, h, w, c = lhs.shape
    kh, kw, _, o = rhs.shape
    oh, ow = h - kh + 1, w - kw + 1
    windows = [lhs[:, i : i + oh, j : j + ow] for i in range(kh) for j in range(kw)]
    patches = jnp.concatenate(windows, axis=-1)  # (n, oh, ow, kh * kw * c)
    product = _product(patches.reshape(n * oh * ow, kh * kw * c), rhs.reshape(kh * kw * c, o))
    return product.reshape(n, oh, ow, o)


def _winograd(
    lhs: Float[Array, "n h w c"], rhs: Float[Array, "3 3 c o"]
) -> Float[Array, "n oh ow o"]:
    """F(2x2, 3x3): each tile of 2x2 outputs comes from 4x4 inputs by 16 multiplications, not 36."""
    n, h, w, c = lhs.shape
    o = rhs.shape[-1]
    rows, columns = (h - 1) // 2, (w - 1) // 2  # of tiles; the last may hang over
    even = jnp.pad(lhs, ((0, 0), (0, h % 2), (0, w % 2), (0, 0)))
    quarters = _quarters(even)

    def input_of_tiles(i: int, j: int) -> Array:
        """The input at place (i, j) of every tile; tiles are two apart."""
        top, left = i // 2, j // 2
        return quarters[i % 2][j % 2][:, top : top + rows, left : left + columns].reshape(-1, c)

    inputs = _both_ways(_B.T, _grid(input_of_tiles, 4))
    kernels = _both_ways(_G, _grid(lambda i, j: rhs[i, j], 3))
    products = _grid(lambda i, j: _product(inputs[i][j], kernels[i][j]), 4)
    outputs = _both_ways(_A.T, products)
    whole = _interleave([[y.reshape(n, rows, columns, o) for y in row] for row in outputs])
    return whole[:, : h - 2, : w - 2]


def _grid(make: Callable[[int, int], Array], size: int) -> Grid:
    return [[make(i, j) for j in range(size)] for i in range(size)]


def _both_ways(matrix: np.ndarray, grid: Grid) -> Grid:
    """matrix @ grid @ matrix.T, written out: its entries are 0, 1, -1 and 1/2."""
    down = [[_combine(row, column) for column in zip(*grid, strict=True)] for row in matrix]
    return [[_combine(row, across) for row in matrix] for across in down]


def _combine(coefficients: np.ndarray, arrays: Sequence[Array]) -> Array:
    """The sum of coefficient * array; 0 and 1 cost nothing."""
    terms = [
        array if coefficient == 1 else -array if coefficient == -1 else float(coefficient) * array
        for coefficient, array in zip(coefficients, arrays, strict=True)
        if coefficient != 0
    ]
    return sum(terms[1:], terms[0])


def _quarters(x: Float[Array, "n h w c"]) -> Grid:
    """Even and odd rows, by even and odd columns.

    By reshaping: the gradient of a strided slice would be a slow scatter.
    """
    n, h, w, c = x.shape
    pairs = x.reshape(n, h // 2, 2, w // 2, 2, c)
    return _grid(lambda i, j: pairs[:, :, i, :, j], 2)


def _interleave(quarters: Grid) -> Float[Array, "n h w c"]:
    """What `_quarters` took apart."""
    n, rows, columns, c = quarters[0][0].shape
    pairs = jnp.stack([jnp.stack(row, axis=3) for row in quarters], axis=2)
    return pairs.reshape(n, 2 * rows, 2 * columns, c)


@jax.custom_vjp
def _product(a: Float[Array, "m k"], b: Float[Array, "k o"]) -> Float[Array, "m o"]:
    """a @ b, whose gradient to b is summed over blocks of rows.

    As autodiff writes it, a.T @ g, it contracts thousands of rows into a small result, which
    XLA:CPU does at half the speed.
    """
    return a @ b


def _product_forward(a: Array, b: Array) -> tuple[Array, tuple[Array, Array]]:
    return a @ b, (a, b)


def _product_backward(kept: tuple[Array, Array], g: Array) -> tuple[Array, Array]:
    a, b = kept
    blocks = _blocks(len(a))
    a_blocks, g_blocks = (x.reshape(blocks, len(a) // blocks, x.shape[1]) for x in (a, g))
    return g @ b.T, jnp.einsum("bmk,bmo->bko", a_blocks, g_blocks).sum(0)


_product.defvjp(_product_forward, _product_backward)


def _blocks(rows: int) -> int:
    """Into how many blocks of at least 128 rows: at most 32, or their sum would cost more."""
    return max((d for d in range(1, min(rows // 128, 32) + 1) if rows % d == 0), default=1)
