"""LSTM with both of PyTorch's biases."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from parity.layers.recurrent import Recurrent, Weights, affine

State = tuple[Float[Array, "layers batch hidden"], Float[Array, "layers batch hidden"]]


class LSTM(Recurrent):
    """`torch.nn.LSTM` without dropout and projections: gates i, f, g, o.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html
    """

    gates = 4

    def __call__(
        self, x: Float[Array, "a b inputs"], state: State | None = None
    ) -> tuple[Float[Array, "a b outputs"], State]:
        """Outputs of the last layer, and (h, c) of every layer and direction after the sequence.

        x is (time, batch, inputs), or (batch, time, inputs) with `batch_first`.
        """
        h, c = state or (self._zeros(x), self._zeros(x))
        y, last = self._run(x, list(zip(h, c, strict=True)), _step)
        return y, (jnp.stack([h for h, _ in last]), jnp.stack([c for _, c in last]))


def _step(
    weights: Weights, state: tuple[Array, Array], x: Array
) -> tuple[tuple[Array, Array], Array]:
    w_ih, w_hh, b_ih, b_hh = weights
    h, c = state
    i, f, g, o = jnp.split(affine(w_ih, x, b_ih) + affine(w_hh, h, b_hh), 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return (h, c), h
