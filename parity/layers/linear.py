"""Linear with PyTorch's names and layout."""

from __future__ import annotations

from flax import nnx
from jaxtyping import Array, Float

from parity.layers.initial import uniform


class Linear(nnx.Module):
    """`torch.nn.Linear`: weight (out, in), bias (out,)."""

    def __init__(
        self, in_features: int, out_features: int, *, bias: bool = True, rngs: nnx.Rngs
    ) -> None:
        self.weight = uniform(rngs, (out_features, in_features), in_features**-0.5)
        self.bias = nnx.data(uniform(rngs, (out_features,), in_features**-0.5) if bias else None)

    def __call__(self, x: Float[Array, "*batch inputs"]) -> Float[Array, "*batch outputs"]:
        y = x @ self.weight[...].T
        return y if self.bias is None else y + self.bias[...]
