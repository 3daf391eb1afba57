"""Max-pooling by PyTorch's rules: the first maximum takes the gradient, NaN wins."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from jax_impl.pooling import max_pool_2x2


def both(x: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Output and gradient (of a weighted sum) in PyTorch and in JAX, both NHWC."""
    there = torch.from_numpy(x.transpose(0, 3, 1, 2).copy()).requires_grad_()
    pooled = F.max_pool2d(there, 2)
    weights = np.arange(1, pooled.numel() + 1, dtype=np.float32).reshape(pooled.shape)
    (pooled * torch.from_numpy(weights)).sum().backward()
    assert there.grad is not None
    expected = pooled.detach().numpy(), there.grad.numpy()
    nhwc = jnp.array(weights.transpose(0, 2, 3, 1))
    found, pull = jax.vjp(max_pool_2x2, jnp.array(x))
    (gradient,) = pull(nhwc)
    return (
        tuple(array.transpose(0, 2, 3, 1) for array in expected),  # type: ignore[return-value]
        (np.asarray(found), np.asarray(gradient)),
    )


@pytest.mark.parametrize("shape", [(2, 8, 8, 3), (1, 13, 13, 2), (1, 5, 6, 1)])
def test_agrees_with_pytorch_bit_for_bit(shape: tuple[int, ...]) -> None:
    (expected, expected_gradient), (found, gradient) = both(
        np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    )
    assert np.array_equal(found, expected)
    assert np.array_equal(gradient, expected_gradient)


def test_first_of_equal_maxima_takes_the_whole_gradient() -> None:
    ties = np.random.default_rng(1).integers(0, 2, (4, 12, 12, 3)).astype(np.float32)
    (_, expected), (_, gradient) = both(ties)
    assert np.array_equal(gradient, expected)
    assert np.count_nonzero(gradient) == 4 * 6 * 6 * 3


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_nan_wins_wherever_it_is(place: int) -> None:
    x = np.ones((1, 2, 2, 1), np.float32)
    x.reshape(-1)[place] = np.nan
    (expected, _), (found, _) = both(x)
    assert np.isnan(expected).all()
    assert np.isnan(found).all()
