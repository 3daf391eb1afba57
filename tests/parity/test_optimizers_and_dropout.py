"""Whole comparisons of right pairs with uncommon optimizers, and of wrong dropout."""

from __future__ import annotations

from typing import Any

import pytest

from parity import Pair, PairError, Training, Waiver, verify
from parity.bridge.errors import WaiverError


def reference(rate: float = 0.0, frozen: bool = False) -> Any:
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.drop, self.fc2 = nn.Linear(6, 40), nn.Dropout(rate), nn.Linear(40, 3)
            self.fc1.requires_grad_(not frozen)

        def forward(self, x: Any) -> Any:
            return self.fc2(self.drop(torch.tanh(self.fc1(x))))

    return Net()


def port(seed: int, rate: float = 0.0, same_mask: bool = False) -> Any:
    import jax.numpy as jnp
    from flax import nnx

    from parity.layers import Linear

    class Net(nnx.Module):
        def __init__(self, rngs: nnx.Rngs) -> None:
            self.fc1, self.fc2 = Linear(6, 40, rngs=rngs), Linear(40, 3, rngs=rngs)
            self.drop = nnx.Dropout(rate, rngs=rngs)

        def __call__(self, x: Any) -> Any:
            rngs = nnx.Rngs(0) if same_mask else None
            return self.fc2(self.drop(jnp.tanh(self.fc1(x)), rngs=rngs))

    return Net(nnx.Rngs(seed))


def pair(**changes: Any) -> Pair:
    given: dict[str, Any] = {
        "name": "small",
        "reference": lambda seed: reference(),
        "port": port,
        "inputs": lambda generator, n: generator.normal(size=(n, 6)),
        **changes,
    }
    return Pair(**given)


def judged(**changes: Any) -> Any:
    return verify(pair(**changes), lanes=("float64",))


def sgd(model: Any, rate: float) -> Any:
    import torch

    return torch.optim.SGD((p for p in model.parameters() if p.requires_grad), lr=rate)


def sgd_with_a_buffer_of_no_use(model: Any, rate: float) -> Any:
    import optax

    return optax.sgd(rate, momentum=0.0)


def test_the_same_dropout_mask_at_every_step_is_seen() -> None:
    verdict = judged(
        reference=lambda seed: reference(0.4), port=lambda seed: port(seed, 0.4, same_mask=True)
    )
    assert verdict.exit_code == 1
    assert verdict.first_departure.stage == "self-checks"
    assert "drop: the same mask in two calls" in verdict.first_departure.text


@pytest.mark.slow
def test_right_dropout_passes() -> None:
    verdict = judged(reference=lambda seed: reference(0.4), port=lambda seed: port(seed, 0.4))
    assert verdict.exit_code == 0


@pytest.mark.slow
def test_a_rate_kept_in_the_optimizers_state_is_lowered_too() -> None:
    def inject(model: Any, rate: float) -> Any:
        import optax

        return optax.inject_hyperparams(optax.sgd)(learning_rate=rate)

    assert judged(reference_optimizer=sgd, port_optimizer=inject).exit_code == 0


@pytest.mark.slow
def test_groups_of_parameters_with_rates_of_their_own() -> None:
    def groups(model: Any, rate: float) -> Any:
        import torch

        parts = [model.fc1.parameters(), model.fc2.parameters()]
        rates = [{"params": p, "lr": r} for p, r in zip(parts, (rate, 3 * rate), strict=True)]
        return torch.optim.SGD(rates, momentum=0.9)

    def labelled(model: Any, rate: float) -> Any:
        import jax
        import optax

        labels = lambda tree: jax.tree_util.tree_map_with_path(  # noqa: E731
            lambda path, _: "slow" if "fc1" in jax.tree_util.keystr(path) else "fast", tree
        )
        return optax.multi_transform(
            {"slow": optax.sgd(rate, momentum=0.9), "fast": optax.sgd(3 * rate, momentum=0.9)},
            labels,
        )

    assert judged(reference_optimizer=groups, port_optimizer=labelled).exit_code == 0


@pytest.mark.slow
def test_frozen_parameters_on_both_sides() -> None:
    def of_fc2(model: Any, rate: float) -> Any:
        import optax
        from flax import nnx

        return nnx.Optimizer(
            model, optax.sgd(rate), wrt=nnx.All(nnx.Param, nnx.PathContains("fc2"))
        )

    frozen = {"reference": lambda seed: reference(frozen=True), "reference_optimizer": sgd}
    assert judged(**frozen, port_optimizer=of_fc2).exit_code == 0
    trained = judged(**frozen, port_optimizer=lambda model, rate: __import__("optax").sgd(rate))
    assert trained.exit_code == 1
    assert trained.first_departure.stage == "update"


@pytest.mark.slow
def test_a_slot_without_counterpart_fails_until_it_is_waived() -> None:
    made = {"reference_optimizer": sgd, "port_optimizer": sgd_with_a_buffer_of_no_use}
    verdict = judged(**made)
    assert verdict.exit_code == 1
    assert verdict.first_departure.stage == "weights"
    assert "slot:0/trace" in verdict.first_departure.text
    waived = judged(**made, waivers=(Waiver("slot:0/trace", "its momentum is 0"),))
    assert waived.exit_code == 0
    assert any("its momentum is 0" in text for text in waived.waivers)
    with pytest.raises((PairError, WaiverError), match="names no slot of an optimizer"):
        judged(**made, waivers=(Waiver("slot:trace", "spelled wrongly"),))


@pytest.mark.slow
def test_a_training_that_draws_random_numbers_is_refused() -> None:
    def batches(epoch: int) -> Any:
        import numpy as np

        yield np.ones((8, 6), np.float32), np.zeros(8, np.float32)

    def epoch(model: Any, optimizer: Any, number: int) -> Any:
        import torch

        model.train()
        loss = (model(torch.ones(8, 6)) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return {"losses": [float(loss)]}

    training = Training(batches=batches, epoch=epoch, evaluate=lambda model: {})
    with pytest.raises(PairError, match="draws random numbers"):
        judged(
            reference=lambda seed: reference(0.4),
            port=lambda seed: port(seed, 0.4),
            reference_training=training,
            port_training=training,
        )
