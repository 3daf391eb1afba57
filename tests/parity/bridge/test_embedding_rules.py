"""Embedding and PReLU go across and compute the same."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from flax import nnx
from torch import nn


def test_embedding(prove, rngs):
    port = nnx.Embed(7, 3, rngs=rngs)
    port.dtype = jnp.dtype("float64")  # it keeps the dtype that it was built with
    prove(nn.Embedding(7, 3), port, [np.array([[1, 6, 0], [5, 5, 2]])])


def test_prelu(prove, numbers):
    prove(nn.PReLU(), nnx.PReLU(), [numbers(2, 3, 5)])
