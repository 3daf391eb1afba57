"""What PyTorch's LSTM and GRU share: weights by layer and direction, and the way through time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from parity.layers.initial import uniform

Weights = tuple[Array, Array, Array | None, Array | None]
"""w_ih (gates * hidden, inputs), w_hh (gates * hidden, hidden), b_ih, b_hh."""

Step = Callable[[Weights, Any, Array], tuple[Any, Array]]
"""(weights, state, input of a time step) -> (state, output)"""


class Recurrent(nnx.Module):
    """Layers and directions over a `Step`; `gates` and the step come from the derived class."""

    gates: int

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        bidirectional: bool = False,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.hidden_size, self.num_layers, self.bias = hidden_size, num_layers, bias
        self.batch_first, self.bidirectional = batch_first, bidirectional
        rows = self.gates * hidden_size
        for layer in range(num_layers):
            inputs = hidden_size * (1 + bidirectional) if layer else input_size
            for suffix in self._suffixes(layer):
                shapes: dict[str, tuple[int, ...]] = {
                    "weight_ih": (rows, inputs),
                    "weight_hh": (rows, hidden_size),
                }
                shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)} if bias else {}
                for name, shape in shapes.items():
                    setattr(self, f"{name}_{suffix}", uniform(rngs, shape, hidden_size**-0.5))

    def _suffixes(self, layer: int) -> list[str]:
        return [f"l{layer}", f"l{layer}_reverse"][: 1 + self.bidirectional]

    def _weights(self, suffix: str) -> Weights:
        def value(name: str) -> Any:
            return getattr(self, f"{name}_{suffix}")[...]

        biases = (value("bias_ih"), value("bias_hh")) if self.bias else (None, None)
        return value("weight_ih"), value("weight_hh"), *biases

    def _run(
        self, x: Float[Array, "a b inputs"], states: list[Any], step: Step
    ) -> tuple[Float[Array, "a b outputs"], list[Any]]:
        """All layers; `states` has one entry for each layer and direction, PyTorch's order."""
        x = x.swapaxes(0, 1) if self.batch_first else x  # (time, batch, inputs)
        last_states: list[Any] = []
        for layer in range(self.num_layers):
            outputs = []
            for suffix in self._suffixes(layer):
                weights = self._weights(suffix)
                state, y = jax.lax.scan(
                    lambda state, now, weights=weights: step(weights, state, now),  # type: ignore[misc]
                    states[len(last_states)],
                    x,
                    reverse=suffix.endswith("reverse"),
                )
                last_states.append(state)
                outputs.append(y)
            x = jnp.concatenate(outputs, axis=-1)
        return (x.swapaxes(0, 1) if self.batch_first else x), last_states

    def _zeros(self, x: Float[Array, "a b inputs"]) -> Float[Array, "layers batch hidden"]:
        batch = x.shape[0 if self.batch_first else 1]
        layers = self.num_layers * (1 + self.bidirectional)
        return jnp.zeros((layers, batch, self.hidden_size), x.dtype)


def affine(weight: Array, x: Array, bias: Array | None) -> Array:
    """x @ weight^T + bias: (batch, inputs) -> (batch, outputs)"""
    return x @ weight.T if bias is None else x @ weight.T + bias
