"""The attention of the proof lane means what JAX's means, with all of float64's digits."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.nn import dot_product_attention

from parity.capture.float64_attention import float64_attention

FLOAT32 = 1e-6
"""What JAX's own attention gets right, as its softmax is in float32."""


@pytest.fixture(autouse=True)
def x64():
    """As in the proof lane's process."""
    with jax.enable_x64(True):
        yield


@pytest.fixture
def arrays(numbers):
    """Query (2, 5, 4 heads, 3), key and value (2, 6, 4, 3), in float64."""
    return [jnp.array(numbers(2, length, 4, 3)) for length in (5, 6, 6)]


def softmax(x):
    exponential = np.exp(x - x.max(-1, keepdims=True))
    return exponential / exponential.sum(-1, keepdims=True)


def error(found, expected):
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def test_all_digits_and_all_gradients(arrays, numbers):
    bias = numbers(1, 4, 5, 6)
    with float64_attention():
        found = jax.nn.dot_product_attention(*arrays, jnp.array(bias), scale=0.7)
        gradients = jax.grad(
            lambda *a: jax.nn.dot_product_attention(*a, scale=0.7).sum(), argnums=(0, 1, 2)
        )(*arrays)
    query, key, value = map(np.asarray, arrays)
    weights = softmax(0.7 * np.einsum("btnh,bsnh->bnts", query, key) + bias)
    expected = np.einsum("bnts,bsnh->btnh", weights, value)
    assert found.dtype == np.float64
    assert error(np.asarray(found), expected) <= 1e-14
    assert {gradient.dtype for gradient in gradients} == {np.dtype("float64")}
    # JAX's own is what this is for.
    original = jax.nn.dot_product_attention(*arrays, jnp.array(bias), scale=0.7)
    assert error(np.asarray(original), expected) > 1e-9


OPTIONS = {
    "plain": {},
    "causal": {"is_causal": True},
    "window": {"local_window_size": 1},
    "one-sided window": {"local_window_size": (2, 0)},
    "lengths": {
        "query_seq_lengths": np.array([5, 3], np.int32),
        "key_value_seq_lengths": np.array([2, 6], np.int32),
    },
    "mask": {"mask": np.random.default_rng(1).random((2, 1, 5, 6)) < 0.5},
    "a query without keys": {"mask": np.zeros((1, 4, 5, 6), bool)},
    "mask and causal": {"mask": np.tri(5, 6, 2, dtype=bool)[None, None, ::-1], "is_causal": True},
    "xla": {"implementation": "xla"},
}


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_every_option_means_what_jax_means(arrays, options, residual):
    options = {**options, "return_residual": residual}
    expected = dot_product_attention(*arrays, **options)
    with float64_attention():
        found = jax.nn.dot_product_attention(*arrays, **options)
    for ours, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert ours.shape == theirs.shape
        assert ours.dtype == np.float64
        np.testing.assert_allclose(ours, theirs, rtol=FLOAT32, atol=FLOAT32)


@pytest.mark.parametrize("heads", [1, 2])
def test_grouped_queries_and_no_batch(arrays, heads):
    query, key, value = arrays[0][0], arrays[1][0, :, :heads], arrays[2][0, :, :heads]
    expected = dot_product_attention(query, key, value)
    with float64_attention():
        found = jax.nn.dot_product_attention(query, key, value)
    np.testing.assert_allclose(found, expected, rtol=FLOAT32, atol=FLOAT32)


def test_wrong_shapes_are_refused_as_jax_refuses_them(arrays):
    query, key, value = arrays
    with float64_attention(), pytest.raises(ValueError, match="value shape should be"):
        jax.nn.dot_product_attention(query, key, value[:, :2])


def test_every_name_for_it_is_replaced_and_comes_back(arrays):
    original = jax.nn.dot_product_attention
    single = [x.astype(jnp.float32) for x in arrays]
    with float64_attention() as notes:
        assert dot_product_attention is jax.nn.dot_product_attention is not original
        np.testing.assert_array_equal(dot_product_attention(*single), original(*single))
        assert notes == []
        nnx.dot_product_attention(*arrays)
        nnx.dot_product_attention(*arrays)
        assert len(notes) == 1
    assert dot_product_attention is jax.nn.dot_product_attention is original
