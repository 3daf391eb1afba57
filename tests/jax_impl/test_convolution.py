"""The convolution written for CPUs is the convolution of `lax`, in value and gradient."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jax_impl.convolution import conv_general_dilated

NHWC = ("NHWC", "HWIO", "NHWC")


@pytest.fixture(autouse=True)
def double_precision() -> Any:
    """In float64 two right convolutions differ by rounding alone, so the tolerance is tight."""
    with jax.enable_x64(True):
        yield


def pictures_and_kernel(*kernel: int) -> tuple[jax.Array, jax.Array]:
    random = np.random.default_rng(0)
    pictures = random.standard_normal((3, 9, 7, kernel[2]))
    return jnp.array(pictures), jnp.array(random.standard_normal(kernel))


@pytest.mark.parametrize("kernel", [(3, 3, 4, 5), (2, 3, 1, 2), (1, 1, 3, 3)])
def test_plain_convolution_agrees_with_lax(kernel: tuple[int, ...]) -> None:
    pictures, weights = pictures_and_kernel(*kernel)

    def total(convolution: Any, pictures: jax.Array, weights: jax.Array) -> jax.Array:
        return jnp.sin(
            convolution(pictures, weights, (1, 1), "VALID", dimension_numbers=NHWC)
        ).sum()

    for argument in (1, 2):
        ours, theirs = (
            jax.value_and_grad(total, argument)(convolution, pictures, weights)
            for convolution in (conv_general_dilated, lax.conv_general_dilated)
        )
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12)
        np.testing.assert_allclose(ours[1], theirs[1], atol=1e-12)


@pytest.mark.parametrize(
    "options",
    [
        {"window_strides": (2, 1)},
        {"padding": "SAME"},
        {"padding": ((1, 0), (0, 1))},
        {"rhs_dilation": (2, 1)},
        {"lhs_dilation": (1, 2), "padding": ((0, 0), (0, 0))},
        {"feature_group_count": 2},
    ],
    ids=str,
)
def test_any_other_convolution_is_left_to_lax(options: dict[str, Any]) -> None:
    pictures, weights = pictures_and_kernel(3, 3, 4, 6)
    if "feature_group_count" in options:
        weights = weights[:, :, :2]
    options = {"window_strides": (1, 1), "padding": "VALID", "dimension_numbers": NHWC, **options}
    ours = conv_general_dilated(pictures, weights, **options)
    assert np.array_equal(ours, lax.conv_general_dilated(pictures, weights, **options))


def test_cpu_program_has_no_convolution_to_fall_into_the_trap() -> None:
    pictures, weights = pictures_and_kernel(3, 3, 4, 5)

    def total(pictures: jax.Array, weights: jax.Array) -> jax.Array:
        return conv_general_dilated(
            pictures, weights, (1, 1), "VALID", dimension_numbers=NHWC
        ).sum()  # fmt: skip

    program = jax.jit(jax.grad(total, (0, 1))).lower(pictures, weights).as_text()
    assert "stablehlo.dot_general" in program
    assert "stablehlo.convolution" not in program
