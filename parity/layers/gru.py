"""GRU with PyTorch's hidden bias inside the reset gate's product."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from parity.layers.recurrent import Recurrent, Weights, affine


class GRU(Recurrent):
    """`torch.nn.GRU` without dropout: gates r, z, n, with n = tanh(x + r * (W h + b_hn)).

    https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html
    """

    gates = 3

    def __call__(
        self,
        x: Float[Array, "a b inputs"],
        state: Float[Array, "layers batch hidden"] | None = None,
    ) -> tuple[Float[Array, "a b outputs"], Float[Array, "layers batch hidden"]]:
        """Outputs of the last layer, and h of every layer and direction after the sequence.

        x is (time, batch, inputs), or (batch, time, inputs) with `batch_first`.
        """
        h = self._zeros(x) if state is None else state
        y, last = self._run(x, list(h), _step)
        return y, jnp.stack(last)


def _step(weights: Weights, h: Array, x: Array) -> tuple[Array, Array]:
    w_ih, w_hh, b_ih, b_hh = weights
    x_r, x_z, x_n = jnp.split(affine(w_ih, x, b_ih), 3, axis=-1)
    h_r, h_z, h_n = jnp.split(affine(w_hh, h, b_hh), 3, axis=-1)
    r, z = jax.nn.sigmoid(x_r + h_r), jax.nn.sigmoid(x_z + h_z)
    n = jnp.tanh(x_n + r * h_n)
    h = (1 - z) * n + z * h
    return h, h
