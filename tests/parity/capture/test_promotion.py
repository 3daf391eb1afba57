"""What is raised to float64, what is left as it is, and what is said about either."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from parity.capture.promotion import PromotionError, low_precision, promote


@pytest.fixture(autouse=True)
def x64():
    """As in the proof lane's process; the models are made in float32 all the same."""
    with jax.enable_x64(True):
        yield


def test_batch_norms_statistics_move_in_float64(numbers, rngs):
    port = nnx.BatchNorm(3, momentum=0.9, rngs=rngs)
    promote(port)
    x = numbers(40, 3)
    port(jnp.array(x), use_running_average=False)
    assert port.mean[...].dtype == port.var[...].dtype == jnp.float64
    np.testing.assert_allclose(port.mean[...], 0.1 * x.mean(0), rtol=1e-13)
    np.testing.assert_allclose(port.var[...], 0.9 + 0.1 * x.var(0), rtol=1e-13)


def test_what_the_layers_share_is_said_once(rngs):
    model = nnx.List([nnx.Linear(2, 2, rngs=rngs) for _ in range(100)])
    sentences = promote(model)
    assert len(sentences) == 2
    assert all(sentence.startswith("0-99 (100): ") for sentence in sentences)
    assert promote(model) == []


def test_variables_and_constants_of_the_models_own(rngs):
    class Scaled(nnx.Module):
        def __init__(self):
            self.count = nnx.Variable(jnp.array(0.1, jnp.float32))
            self.steps = nnx.Variable(jnp.array(3, jnp.int32))
            self.table = jnp.arange(3, dtype=jnp.float32)
            self.phase = np.ones(2, np.complex64)
            self.tables = nnx.data({"a": [jnp.ones(2, jnp.float32)]})
            self.dtype = "float32"

    model = Scaled()
    sentences = promote(model)
    assert model.count.get_value().dtype == jnp.float64
    assert model.steps.get_value().dtype == jnp.int32
    assert float(model.count.get_value()) == float(np.float32(0.1))
    assert model.table.dtype == model.tables["a"][0].dtype == jnp.float64
    assert model.phase.dtype == np.complex128
    assert model.dtype == "float64"
    for text in (
        "Scaled keeps Variable 'count' in float32; it is float64 here",
        "Scaled holds the constant 'table' with the digits of float32; it is float64 here",
        "Scaled holds the constant 'phase' with the digits of complex64; it is complex128 here",
        "Scaled has dtype float32; it is float64 here",
    ):
        assert f"the model: {text}" in sentences


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_low_precision_that_the_author_asked_for_is_left_and_reported(numbers, rngs, dtype):
    model = nnx.Dict(
        low=nnx.Linear(3, 2, dtype=dtype, rngs=rngs),
        lower=nnx.Linear(3, 2, param_dtype=dtype, rngs=rngs),
        right=nnx.Linear(3, 2, rngs=rngs),
    )
    sentences = promote(model)
    name = jnp.dtype(dtype).name
    findings = low_precision(model)
    assert [text for text in sentences if name in text] == findings
    assert any(f.startswith(f"low: nnx.Linear has dtype {name}; it is left so") for f in findings)
    assert any(f.startswith(f"lower: parameters are made in {name}; they are") for f in findings)
    assert model["low"](jnp.array(numbers(1, 3))).dtype == dtype
    assert model["lower"].kernel.get_value().dtype == dtype
    assert model["right"].kernel.get_value().dtype == jnp.float64


def test_shared_variables_stay_shared(rngs):
    model = nnx.List([nnx.Linear(2, 2, rngs=rngs), nnx.Linear(2, 2, rngs=rngs)])
    model[1].kernel = model[0].kernel
    promote(model)
    assert model[0].kernel is model[1].kernel
    assert model[0].kernel.get_value().dtype == jnp.float64


def test_without_x64_nothing_is_promoted(rngs):
    model = nnx.Linear(2, 2, rngs=rngs)
    with jax.enable_x64(False), pytest.raises(PromotionError, match="x64 mode, and it is off"):
        promote(model)
