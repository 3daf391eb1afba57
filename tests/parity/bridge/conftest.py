"""What the bridge's tests share: weights of no special value, and the proof of a pair of layers."""

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
from parity.bridge.errors import BridgeError
from parity.bridge.mapping import Mapping
from parity.bridge.matching import match
from parity.bridge.structure import Structure

TOLERANCE = 1e-12


@pytest.fixture
def stir() -> Callable[[nn.Module], None]:
    """Give every parameter and buffer of a PyTorch model random values, variances positive ones."""
    generator = torch.Generator().manual_seed(3)

    def stir(model: nn.Module) -> None:
        with torch.no_grad():
            for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
                if tensor.is_floating_point():
                    tensor.copy_(torch.randn(tensor.shape, generator=generator))
                    if name.endswith("running_var"):
                        tensor.abs_().add_(0.3)

    return stir


@pytest.fixture
def pair_up() -> Callable[..., Mapping]:
    """Match a PyTorch and a Flax model."""

    def pair_up(reference: nn.Module, port: nnx.Module, **declarations: Any) -> Mapping:
        ours, theirs = torch_end.describe(reference), flax_end.describe(port)
        # As they cross between two processes.
        ours, theirs = (Structure.from_json(side.to_json()) for side in (ours, theirs))
        return match(ours, theirs, **declarations)

    return pair_up


@pytest.fixture
def refused(pair_up: Callable[..., Mapping]) -> Callable[..., BridgeError]:
    """Match two models, which must fail in just this class, and say these texts."""

    def refused(
        expected: type[BridgeError],
        reference: nn.Module,
        port: nnx.Module,
        *texts: str,
        **declarations: Any,
    ) -> BridgeError:
        with pytest.raises(BridgeError) as caught:
            pair_up(reference, port, **declarations)
        assert type(caught.value) is expected
        for text in texts:
            assert text in str(caught.value)
        return caught.value

    return refused


Prove = Callable[..., Mapping]


@pytest.fixture
def prove(stir: Callable[[nn.Module], None], pair_up: Callable[..., Mapping]) -> Prove:
    """Carry random weights to the port and back, bit by bit, and compare what the two compute.

    `inputs` are the reference's, channels first; with `channels_last` the port is given, and
    gives, channels last. `call` runs the port where calling it is not enough.
    """

    def prove(
        reference: nn.Module,
        port: nnx.Module,
        inputs: Sequence[np.ndarray],
        channels_last: bool = False,
        call: Callable[..., Any] | None = None,
        lossy: bool = False,
        **declarations: Any,
    ) -> Mapping:
        reference.double()
        stir(reference)
        mapping = pair_up(reference, port, **declarations)
        canonical = torch_end.export(reference)
        arrays = mapping.to_flax(canonical)
        if not lossy:
            _assert_same_bits(mapping.to_canonical(arrays), canonical)
        expected = reference(*(torch.from_numpy(x.copy()) for x in inputs)).detach().numpy()
        with jax.enable_x64(True):
            # What is waived stays as it is.
            waived = {n: a.astype(np.float64) for n, a in flax_end.export(port).items()}
            flax_end.load(port, {**waived, **arrays})
            _assert_same_bits(flax_end.export(port), {**waived, **arrays})
            given = [jnp.array(_last(x) if channels_last else x) for x in inputs]
            found = np.asarray((call or port)(*given))
        found = np.moveaxis(found, -1, 1) if channels_last else found
        assert found.dtype == np.float64
        assert found.shape == expected.shape
        error = float(np.linalg.norm(found - expected) / np.linalg.norm(expected))
        assert error <= TOLERANCE
        return mapping

    return prove


def _last(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, 1, -1)


def _assert_same_bits(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes()
        assert not np.shares_memory(found[name], array)
