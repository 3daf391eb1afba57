"""What the tests of the bridge and of the layers share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from flax import nnx


@pytest.fixture
def numbers() -> Callable[..., np.ndarray]:
    """Random float64 inputs of a shape."""
    random = np.random.default_rng(11)
    return lambda *shape: random.standard_normal(shape)


@pytest.fixture
def rngs() -> nnx.Rngs:
    """A source of initial values for the port's layers."""
    return nnx.Rngs(0)
