"""What the layers' tests share: the same numbers through both frameworks, gradients included."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

from parity.bridge import flax_end, torch_end
from parity.bridge.matching import match

TOLERANCE = 1e-12


@pytest.fixture
def agree() -> Callable[..., None]:
    """Outputs, gradients and buffers of a PyTorch layer and ours on random weights, in float64.

    `run_torch(layer, *inputs)` and `run_flax` may say how to run them, where calling is not enough.
    Floating inputs are differentiated too; `channels_last` gives ours the first input, and takes
    its output, channels last.
    """

    def agree(
        reference: nn.Module,
        port: nnx.Module,
        inputs: Sequence[np.ndarray],
        channels_last: bool = False,
        run_torch: Callable[..., torch.Tensor] = lambda layer, *x: layer(*x),
        run_flax: Callable[..., Any] = lambda layer, *x: layer(*x),
    ) -> None:
        reference.double()
        _stir(reference)
        mapping = match(torch_end.describe(reference), flax_end.describe(port))
        assert all(binding.how == "same names and shapes" for binding in mapping.bindings)
        arrays = torch_end.export(reference)
        tensors = [torch.from_numpy(x.copy()) for x in inputs]
        for tensor in tensors:
            tensor.requires_grad_(tensor.is_floating_point())
        expected = run_torch(reference, *tensors)
        weights = np.random.default_rng(5).standard_normal(expected.shape)
        (expected * torch.from_numpy(weights)).sum().backward()

        with jax.enable_x64(True):
            flax_end.load(port, mapping.to_flax(arrays))
            given = [jnp.array(x) for x in inputs]
            floating = tuple(i for i, x in enumerate(inputs) if x.dtype == np.float64)

            def loss(layer, *given):
                given = [_last(given[0]), *given[1:]] if channels_last else given
                found = run_flax(layer, *given)
                found = jnp.moveaxis(found, -1, 1) if channels_last else found
                return (found * weights).sum(), found

            differentiated = (0, *(i + 1 for i in floating))
            backward = nnx.jit(nnx.grad(loss, argnums=differentiated, has_aux=True))
            gradients, found = backward(port, *given)
            errors = {"output": _error(found, expected)}
            for index, gradient in zip(floating, gradients[1:], strict=True):
                errors[f"input {index}"] = _error(gradient, tensors[index].grad)
            parameters = dict(reference.named_parameters())
            for path, gradient in nnx.to_flat_state(gradients[0]):
                name = ".".join(map(str, path))
                errors[name] = _error(gradient.get_value(), parameters.pop(name).grad)
            assert not parameters
            buffers = flax_end.export(port)
        for name, buffer in torch_end.export(reference).items():
            errors[f"after: {name}"] = _error(buffers[name.replace(".", "/")], buffer)
        assert max(errors.values()) <= TOLERANCE, errors

    return agree


def _stir(model: nn.Module) -> None:
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape, generator=generator))
                if name.endswith("running_var"):
                    tensor.abs_().add_(0.3)


def _last(x: jax.Array) -> jax.Array:
    return jnp.moveaxis(x, 1, -1)


def _error(found: Any, expected: Any) -> float:
    """Normwise relative error; shapes, dtypes and places of NaN must be equal."""
    expected = expected.detach().numpy() if isinstance(expected, torch.Tensor) else expected
    found = np.asarray(found)
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    scale = np.linalg.norm(np.nan_to_num(expected))
    return float(np.linalg.norm(np.nan_to_num(found - expected)) / (scale or 1))
