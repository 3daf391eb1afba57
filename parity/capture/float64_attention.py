"""JAX's attention in float64: `jax.nn.dot_product_attention` rounds to float32 in its softmax.

It does so whatever its inputs are (`_dot_product_attention_core` in jax/_src/nn/functions.py), and
`nnx.dot_product_attention`, so `nnx.MultiHeadAttention` too, calls it unless there is dropout.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

NOTE = (
    "jax.nn.dot_product_attention (nnx.MultiHeadAttention calls it) takes its softmax in float32; "
    "it is taken in float64 here"
)


@contextmanager
def float64_attention() -> Iterator[list[str]]:
    """Within it, `jax.nn.dot_product_attention` of float64 arrays is computed in float64.

    So it is under every name that a loaded module has for it. Gives a list that holds `NOTE` once
    the model has called it with float64 arrays. Functions compiled before keep what they were
    compiled with: trace them inside.
    """
    notes: list[str] = []
    original = jax.nn.dot_product_attention
    replacement = _replacement(original, notes)
    names = [
        (module, name)
        for module in list(sys.modules.values())
        for name, value in list(getattr(module, "__dict__", {}).items())
        if value is original
    ]
    for module, name in names:
        setattr(module, name, replacement)
    try:
        yield notes
    finally:
        for module, name in names:
            setattr(module, name, original)


def _replacement(original: Callable[..., Any], notes: list[str]) -> Callable[..., Any]:
    def dot_product_attention(
        query: Any, key: Any, value: Any, bias: Any = None, mask: Any = None, **options: Any
    ) -> Any:
        if jnp.result_type(query, key, value) != jnp.float64:
            return original(query, key, value, bias, mask, **options)
        # The original's own complaints about shapes and dtypes.
        jax.eval_shape(lambda *a: original(*a, **options), query, key, value, bias, mask)
        if NOTE not in notes:
            notes.append(NOTE)
        return _attention(query, key, value, bias, mask, **options)

    return dot_product_attention


def _attention(
    query: jax.Array,  # ([batch], t, heads, depth)
    key: jax.Array,  # ([batch], s, key heads, depth)
    value: jax.Array,  # as key
    bias: jax.Array | None,  # broadcastable to ([batch], heads, t, s), as the mask is
    mask: jax.Array | None,
    scale: float | None = None,
    return_residual: bool = False,
    implementation: str | None = None,
    **masking: Any,
) -> Any:
    shape = query.shape
    query, key, value = (_four_axes(x) for x in (query, key, value))
    repeats = query.shape[2] // key.shape[2]  # grouped queries share a key head
    key, value = (jnp.repeat(x, repeats, axis=2) for x in (key, value))
    logits = jnp.einsum("btnh,bsnh->bnts", query, key)
    logits = logits * (1 / np.sqrt(query.shape[-1]) if scale is None else scale)
    if bias is not None:
        logits = (logits + _four_axes(bias)).astype(logits.dtype)
    for allowed in _masks(logits.shape, mask, **masking):
        # The number that JAX takes, finite in float32: rows without any key attend to all alike.
        logits = jnp.where(allowed, logits, -0.7 * float(np.finfo(np.float32).max))
    encoded = jnp.einsum("bnts,bsnh->btnh", jax.nn.softmax(logits, axis=-1), value)
    lengths = masking.get("query_seq_lengths")
    if lengths is not None:
        inside = jnp.arange(query.shape[1]) < jnp.asarray(lengths)[:, None]
        encoded = encoded * inside[:, :, None, None].astype(encoded.dtype)
    encoded = encoded.reshape(shape)
    if not return_residual:
        return encoded
    residual = jnp.swapaxes(jax.nn.logsumexp(logits, axis=-1), 1, 2).reshape(shape[:-1])
    return encoded, jax.lax.stop_gradient(residual)


def _masks(
    shape: tuple[int, ...],  # (batch, heads, t, s)
    mask: jax.Array | None,
    is_causal: bool = False,
    query_seq_lengths: jax.Array | None = None,
    key_value_seq_lengths: jax.Array | None = None,
    local_window_size: int | tuple[int, int] | None = None,
) -> Iterator[jax.Array]:
    """Each thing that says which keys a query may attend to; True where it may."""
    t, s = jnp.arange(shape[2])[:, None], jnp.arange(shape[3])[None, :]
    if mask is not None:
        yield _four_axes(mask)
    if is_causal:
        yield s <= t
    if local_window_size is not None:
        window = local_window_size
        left, right = (window, window) if isinstance(window, int) else window
        yield (t <= s + left) & (t >= s - right)
    if query_seq_lengths is not None:
        yield t < jnp.asarray(query_seq_lengths)[:, None, None, None]
    if key_value_seq_lengths is not None:
        yield s < jnp.asarray(key_value_seq_lengths)[:, None, None, None]


def _four_axes(x: Any) -> jax.Array:
    array = jnp.asarray(x)
    return array.reshape((1,) * (4 - array.ndim) + array.shape)
