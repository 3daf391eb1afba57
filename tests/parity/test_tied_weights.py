"""Whole comparisons of right ports whose output layer is the embedding, in any order."""

from __future__ import annotations

from typing import Any

import pytest

from parity import Pair, verify

WORDS, FEATURES = 11, 6
NAMES = ("embedding", "decoder")


def in_order(made: dict[str, Any], first: str) -> list[tuple[str, Any]]:
    return sorted(made.items(), key=lambda item: item[0] != first)


def reference(first: str) -> Any:
    import torch
    from torch import nn

    class Net(nn.Module):
        embedding: Any
        decoder: Any

        def __init__(self) -> None:
            super().__init__()
            made: dict[str, nn.Module] = {"embedding": nn.Embedding(WORDS, FEATURES)}
            made["decoder"] = nn.Linear(FEATURES, WORDS, bias=False)
            made["decoder"].weight = made["embedding"].weight
            for name, module in in_order(made, first):
                self.add_module(name, module)
            self.fc = nn.Linear(FEATURES, FEATURES)

        def forward(self, words: Any) -> Any:
            return self.decoder(torch.tanh(self.fc(self.embedding(words))))

    return Net()


def port(first: str, seed: int) -> Any:
    import jax.numpy as jnp
    from flax import nnx
    from jax.nn.initializers import normal

    from parity.layers import Linear

    class Decoder(nnx.Module):
        def __init__(self, weight: nnx.Param) -> None:
            self.weight = weight

        def __call__(self, x: Any) -> Any:
            return x @ self.weight[...].T

    class Net(nnx.Module):
        embedding: Any
        decoder: Any

        def __init__(self, rngs: nnx.Rngs) -> None:
            embedding = nnx.Embed(WORDS, FEATURES, embedding_init=normal(1.0), rngs=rngs)
            made = {"embedding": embedding, "decoder": Decoder(embedding.embedding)}
            for name, module in in_order(made, first):
                setattr(self, name, module)
            self.fc = Linear(FEATURES, FEATURES, rngs=rngs)

        def __call__(self, words: Any) -> Any:
            return self.decoder(jnp.tanh(self.fc(self.embedding(words))))

    return Net(nnx.Rngs(seed))


def reference_optimizer(model: Any, rate: float) -> Any:
    import torch

    return torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)


def port_optimizer(model: Any, rate: float) -> Any:
    import optax

    return optax.sgd(rate, momentum=0.9)


@pytest.mark.slow
@pytest.mark.parametrize("port_first", NAMES)
@pytest.mark.parametrize("reference_first", NAMES)
def test_right_port_passes(reference_first: str, port_first: str) -> None:
    pair = Pair(
        name="tied",
        reference=lambda seed: reference(reference_first),
        port=lambda seed: port(port_first, seed),
        inputs=lambda generator, n: generator.integers(0, WORDS, size=(n, 5)),
        reference_optimizer=reference_optimizer,
        port_optimizer=port_optimizer,
    )
    verdict = verify(pair, lanes=("float64",))
    assert verdict.first_departure is None
    assert verdict.exit_code == 0
    compared = {row.tensor for r in verdict.results if r.stage == "update" for row in r.rows}
    assert "embedding.weight" in compared or "decoder.weight" in compared
