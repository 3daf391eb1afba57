"""What crosses between NumPy and a framework is copied: no later change on one side reaches the
other. Arrays lie on 64-byte boundaries, where JAX shares memory if it is not told to copy."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx

from parity.capture import from_jax, from_torch, jax_tap, torch_tap
from parity.capture.jax_model import copy_of, numpy_outputs

JOB = SimpleNamespace(dtype=np.dtype(np.float32))


def aligned(dtype: Any) -> np.ndarray:
    """Sixteen ones."""
    room = np.zeros(16 * 8 + 64, np.uint8)
    start = -room.ctypes.data % 64
    array = room[start : start + 16 * np.dtype(dtype).itemsize].view(dtype)
    array[:] = 1
    return array


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
@pytest.mark.parametrize("side", ["torch", "jax"])
def test_batches_are_copied_on_their_way_in(side: str, dtype: Any) -> None:
    array = aligned(dtype)
    if side == "torch":
        there = SimpleNamespace(job=JOB, device=torch.device("cpu"))
        there.to_device = lambda value: from_torch.Side.to_device(there, value)  # type: ignore[arg-type]
    else:
        there = SimpleNamespace(job=JOB)
        there.to_device = lambda value: from_jax.Side.to_device(there, value)  # type: ignore[arg-type]
    crossed = there.to_device({"x": (array, None)})["x"][0]
    array[:] = 7
    assert (np.asarray(crossed) == 1).all()
    if side == "torch":
        array[:] = 1
        crossed.fill_(9)
        assert (array == 1).all()


def test_what_layers_return_is_copied_on_its_way_out() -> None:
    tensor = torch.ones(16)
    found = torch_tap.host(tensor)
    tensor.zero_()  # as an in-place activation does
    assert (found == 1).all()
    array = jnp.ones(16)
    found = jax_tap.host(array)
    outputs = numpy_outputs({"y": (array,)})["y"][0]
    found[:] = outputs[:] = 7
    assert (array == 1).all()


def test_bfloat16_comes_out_as_float32() -> None:
    assert torch_tap.host(torch.ones(2, dtype=torch.bfloat16)).dtype == np.float32
    assert jax_tap.host(jnp.ones(2, jnp.bfloat16)).dtype == np.float32


def test_copy_of_the_port_is_its_own_even_where_a_training_donates_it() -> None:
    model = nnx.Dict(fc=nnx.Linear(2, 3, rngs=nnx.Rngs(0)), drop=nnx.Dropout(0.5))
    weights = np.array(model["fc"].kernel[...])
    copy: Any = copy_of(SimpleNamespace(model=model), training=False)  # type: ignore[arg-type]
    assert (copy["drop"].deterministic, copy["fc"].kernel is model["fc"].kernel) == (True, False)
    state = nnx.state(copy)
    jax.block_until_ready(jax.jit(lambda s: jax.tree.map(jnp.negative, s), donate_argnums=0)(state))
    assert copy["fc"].kernel.get_value().is_deleted()
    np.testing.assert_array_equal(model["fc"].kernel[...], weights)
