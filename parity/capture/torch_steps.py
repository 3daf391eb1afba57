"""Training steps of the reference: a few looked at one by one, then a free-running trajectory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from parity.capture.plan import UPDATE_STEPS, batch_of, rate_of, snapshot_steps, trajectory_steps
from parity.capture.recorded import record_arrays, recorded_losses
from parity.capture.torch_model import (
    Arrays,
    backward,
    buffers,
    gradients,
    loss_of,
    output_leaves,
    parameters,
    run_model,
)
from parity.capture.torch_tap import biased_variances, host, shared_dropout
from parity.pair import PairError
from parity.user_code import call

if TYPE_CHECKING:
    from parity.capture.from_torch import Side


class Steps:
    """Training steps of one side; each run starts from the beginning."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.numbers = list(UPDATE_STEPS)
        self.rates = [rate_of(step, side.pair.learning_rate) for step in UPDATE_STEPS]

    def slot_names(self) -> list[str]:
        """The names of the optimizer's slots, as they are after one step."""
        optimizer = self._start()
        self._step(optimizer, "1", 1)
        names = self._state("", optimizer)
        return sorted({name.split("/")[2] for name in names if name.startswith("/slot/")})

    def update(self) -> Arrays:
        """Loss and gradients before, parameters, slots and buffers after each update step."""
        optimizer = self._start()
        arrays: Arrays = {}
        with biased_variances(self.side.model) as biased:
            for step in self.numbers:
                self._lower(optimizer, step)
                arrays[f"update/{step}/loss"] = self._backward(optimizer, str(step), step)
                # Before the step: a hook of the optimizer's may clip them in place.
                arrays |= _named(f"update/{step}/gradient", gradients(self.side))
                self._optimize(optimizer)
                arrays |= self._state(f"update/{step}", optimizer)
                arrays |= {f"biased/update/{step}/buffer/{n}": host(t) for n, t in biased.items()}
        self.side.model.eval()
        inputs, _ = self.side.batch("full")
        with torch.no_grad():
            found = output_leaves(self.side, run_model(self.side, inputs))
        return arrays | {f"after/eval/output/{leaf}": host(t) for leaf, t in found.items()}

    def forced(self, oracle: Mapping[str, np.ndarray]) -> Arrays:
        """The optimizer alone, fed with the oracle's parameters and gradients."""
        side, optimizer = self.side, self._start()
        arrays: Arrays = {}
        for step in self.numbers:
            self._lower(optimizer, step)
            self._put(oracle, f"update/{step - 1}/parameter" if step > 1 else "weight")
            for name, parameter in parameters(side).items():
                gradient = oracle.get(f"update/{step}/gradient/{name}")
                parameter.grad = None if gradient is None else side.to_device(gradient)
            self._optimize(optimizer)
            state = self._state(f"forced/update/{step}", optimizer)
            arrays |= {n: a for n, a in state.items() if f"/{step}/buffer/" not in n}
        last = f"update/{self.numbers[-1]}"
        self._put(oracle, f"{last}/parameter")
        self._put(oracle, f"{last}/buffer")
        side.model.eval()
        inputs, _ = side.batch("full")
        with torch.no_grad():
            found = output_leaves(side, run_model(side, inputs))
        return arrays | {f"forced/after/eval/output/{n}": host(t) for n, t in found.items()}

    def trajectory(self) -> tuple[Arrays, list[int]]:
        """A free run: the pair's own training, or the harness's; its arrays and snapshots."""
        if self.side.pair.reference_training:
            torch.manual_seed(self.side.job.seed)
            return self._own_training()
        optimizer = self._start()
        arrays: Arrays = {}
        losses = []
        for step in range(1, trajectory_steps() + 1):
            losses.append(self._step(optimizer, str(batch_of(step)), step))
            if step in snapshot_steps():
                arrays |= self._state(f"trajectory/{step}", optimizer)
        return {"trajectory/losses": np.array(losses), **arrays}, list(snapshot_steps())

    def repeats(self, losses: np.ndarray) -> bool:
        """Whether the pair's own training gives these losses again, from another random seed."""
        torch.manual_seed(self.side.job.seed + 1)
        return np.array_equal(self._own_training()[0]["trajectory/losses"], losses)

    def _own_training(self) -> tuple[Arrays, list[int]]:
        side, optimizer = self.side, self._start()
        training = side.pair.reference_training
        assert training is not None
        arrays: Arrays = {}
        losses: list[np.ndarray] = []
        snapshots = []
        for epoch in range(1, training.epochs + 1):
            recorded = call(
                side.pair, "reference_training", training.epoch, side.model, optimizer, epoch
            )
            losses.append(recorded_losses(recorded, "reference_training"))
            tested = call(side.pair, "reference_training", training.evaluate, side.model)
            arrays |= record_arrays(epoch, recorded, tested, "reference_training")
            snapshots.append(sum(len(part) for part in losses))
            arrays |= self._state(f"trajectory/{snapshots[-1]}", optimizer)
        return {"trajectory/losses": np.concatenate(losses), **arrays}, snapshots

    def _start(self) -> torch.optim.Optimizer:
        side = self.side
        side.reset()
        side.model.train()
        rate = side.pair.learning_rate
        if side.pair.reference_optimizer is None:
            return torch.optim.SGD(side.model.parameters(), lr=rate)
        optimizer = call(
            side.pair, "reference_optimizer", side.pair.reference_optimizer, side.model, rate
        )
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise PairError(
                f"pair {side.pair.name!r}: reference_optimizer returned "
                f"{type(optimizer).__name__}, expected a torch.optim.Optimizer"
            )
        return optimizer

    def _lower(self, optimizer: torch.optim.Optimizer, step: int) -> None:
        factor = rate_of(step, 1.0) / rate_of(step - 1, 1.0)
        for group in optimizer.param_groups:
            group["lr"] = group["lr"] * factor

    def _step(self, optimizer: torch.optim.Optimizer, batch: str, step: int) -> np.ndarray:
        """One training step; its loss."""
        loss = self._backward(optimizer, batch, step)
        self._optimize(optimizer)
        return loss

    def _backward(self, optimizer: torch.optim.Optimizer, batch: str, step: int) -> np.ndarray:
        """One training step as far as the gradients; its loss."""
        side = self.side
        inputs, targets = side.batch(batch)
        optimizer.zero_grad(set_to_none=True)
        with shared_dropout(side.model, step):
            loss = loss_of(side, run_model(side, inputs), targets)
            backward(side, loss)
        return host(loss)

    def _optimize(self, optimizer: torch.optim.Optimizer) -> None:
        call(self.side.pair, "reference_optimizer", optimizer.step)

    def _put(self, oracle: Mapping[str, np.ndarray], prefix: str) -> None:
        state = self.side.model.state_dict(keep_vars=True)
        for name, _ in self.side.structure.tensors():
            if f"{prefix}/{name}" in oracle:
                value = self.side.to_device(oracle[f"{prefix}/{name}"])
                state[name].data.copy_(value.to(state[name].dtype))

    def _state(self, prefix: str, optimizer: torch.optim.Optimizer) -> Arrays:
        """Parameters, slots and buffers as they are, under `prefix`."""
        found = parameters(self.side)
        arrays = {f"{prefix}/parameter/{n}": host(p) for n, p in found.items()}
        for name, parameter in found.items():
            for slot, value in optimizer.state.get(parameter, {}).items():
                is_slot = isinstance(value, torch.Tensor) and value.shape == parameter.shape
                if is_slot and slot != "step":
                    arrays[f"{prefix}/slot/{slot}/{name}"] = host(value)
        return arrays | _named(f"{prefix}/buffer", buffers(self.side))


def _named(prefix: str, arrays: Mapping[str, Any]) -> Arrays:
    return {f"{prefix}/{name}": array for name, array in arrays.items()}
