"""Training steps of the port: compiled, as its users run them; and its optimizer alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
import optax
from flax import nnx

from parity.bridge import flax_end
from parity.capture.jax_passes import (
    Arrays,
    OutputLayout,
    copy_of,
    flat,
    loss_of,
    merged,
    numpy_outputs,
    parameters,
    run_model,
    split,
)
from parity.capture.jax_tap import host, is_array
from parity.capture.leaves import change_leaves
from parity.capture.plan import UPDATE_STEPS, batch_of, rate_of, snapshot_steps, trajectory_steps
from parity.capture.recorded import record_arrays, recorded_losses
from parity.capture.slots import HYPERPARAMETERS, Slots
from parity.pair import PairError
from parity.user_code import call

if TYPE_CHECKING:
    from parity.capture.from_jax import Side


class Steps:
    """Training steps of one side; each run starts from the beginning."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.numbers = list(UPDATE_STEPS)
        self.rates = [rate_of(step, side.pair.learning_rate) for step in UPDATE_STEPS]
        self.slots: list[str] = []
        self.loose_slots: list[str] = []
        self._programs: dict[int, Callable[..., Any]] = {}

    def update(self) -> Arrays:
        """Loss and gradients before, parameters, slots and buffers after each update step."""
        model, optimizer = self._start()
        arrays: Arrays = {}
        for step in self.numbers:
            self._lower(model, optimizer, step)
            loss, grads = self._step(model, optimizer, str(step), step)
            arrays[f"update/{step}/loss"] = loss
            arrays |= _named(f"update/{step}/gradient", parameters(self.side, grads))
            arrays |= self._state(f"update/{step}", model, optimizer)
        found = self._slots_of(optimizer)
        self.slots, self.loose_slots = list(found.names), found.loose
        return arrays | _named("after/eval/output", self._evaluated(model))

    def forced(self, oracle: Mapping[str, np.ndarray]) -> Arrays:
        """The optimizer alone, fed with the oracle's parameters and gradients."""
        side = self.side
        model, optimizer = self._start()
        arrays: Arrays = {}
        for step in self.numbers:
            self._lower(model, optimizer, step)
            self._put(model, oracle, f"update/{step - 1}/parameter" if step > 1 else "weight")
            grads = self._gradients(model, optimizer, oracle, f"update/{step}/gradient")
            call(side.pair, "port_optimizer", optimizer.update, model, grads)
            state = self._state(f"forced/update/{step}", model, optimizer)
            arrays |= {n: a for n, a in state.items() if f"/{step}/buffer/" not in n}
        last = f"update/{self.numbers[-1]}"
        self._put(model, oracle, f"{last}/parameter")
        self._put(model, oracle, f"{last}/buffer")
        return arrays | _named("forced/after/eval/output", self._evaluated(model))

    def trajectory(self) -> tuple[Arrays, list[int]]:
        """A free run: the pair's own training, or the harness's; its arrays and snapshots."""
        if self.side.pair.port_training:
            return self._own_training()
        model, optimizer = self._start()
        arrays: Arrays = {}
        losses = []
        for step in range(1, trajectory_steps() + 1):
            losses.append(self._step(model, optimizer, str(batch_of(step)), step)[0])
            if step in snapshot_steps():
                arrays |= self._state(f"trajectory/{step}", model, optimizer)
        return {"trajectory/losses": np.array(losses), **arrays}, list(snapshot_steps())

    def _own_training(self) -> tuple[Arrays, list[int]]:
        side = self.side
        model, optimizer = self._start()
        training = side.pair.port_training
        assert training is not None
        arrays: Arrays = {}
        losses: list[np.ndarray] = []
        snapshots = []
        for epoch in range(1, training.epochs + 1):
            recorded = call(side.pair, "port_training", training.epoch, model, optimizer, epoch)
            losses.append(recorded_losses(recorded, "port_training"))
            tested = call(side.pair, "port_training", training.evaluate, model)
            arrays |= record_arrays(epoch, recorded, tested, "port_training")
            snapshots.append(sum(len(part) for part in losses))
            arrays |= self._state(f"trajectory/{snapshots[-1]}", model, optimizer)
        return {"trajectory/losses": np.concatenate(losses), **arrays}, snapshots

    def _start(self) -> tuple[nnx.Module, nnx.Optimizer[Any]]:
        model = copy_of(self.side, training=True)
        return model, self._optimizer(model, self.side.pair.learning_rate)

    def _optimizer(self, model: nnx.Module, rate: float) -> nnx.Optimizer[Any]:
        pair = self.side.pair
        if pair.port_optimizer is None:
            return nnx.Optimizer(model, optax.sgd(rate), wrt=nnx.Param)
        found = call(pair, "port_optimizer", pair.port_optimizer, model, rate)
        if isinstance(found, optax.GradientTransformation):
            return nnx.Optimizer(model, found, wrt=nnx.Param)
        if not isinstance(found, nnx.Optimizer):
            raise PairError(
                f"pair {pair.name!r}: port_optimizer returned {type(found).__name__}, expected an "
                "nnx.Optimizer or an Optax transformation"
            )
        return found

    def _lower(self, model: nnx.Module, optimizer: nnx.Optimizer[Any], step: int) -> None:
        """Another learning rate is another transformation; the state goes on."""
        if step > 1 and self.rates[step - 1] != self.rates[step - 2]:
            fresh = self._optimizer(model, self.rates[step - 1])
            optimizer.tx = fresh.tx
            self._programs.clear()
            # optax.inject_hyperparams keeps the rate in the state.
            state = nnx.to_flat_state(nnx.state(fresh))
            rates = [(path, leaf) for path, leaf in state if HYPERPARAMETERS in path]
            if rates:
                nnx.update(optimizer, nnx.from_flat_state(rates))

    def _step(
        self, model: nnx.Module, optimizer: nnx.Optimizer[Any], batch: str, step: int
    ) -> tuple[np.ndarray, Any]:
        """One compiled training step, in place; its loss and gradients."""
        graph, state = nnx.split((model, optimizer))
        inputs, targets = self.side.batch(batch)
        # One program for each transformation; JAX compiles it once for each batch's shapes.
        program = self._programs.setdefault(id(optimizer.tx), self._program(graph))
        state, loss, grads = program(state, inputs, targets, step)
        nnx.update((model, optimizer), state)
        return host(loss), grads

    def _program(self, graph: Any) -> Callable[..., Any]:
        side = self.side

        @jax.jit
        def program(state: Any, inputs: Any, targets: Any, step: Any) -> tuple[Any, Any, Any]:
            model, optimizer = nnx.merge(graph, state)
            inner, params, rest = split(model, optimizer.wrt)

            def objective(params: Any) -> tuple[jax.Array, Any]:
                copy = merged(inner, params, rest)
                with side.dropout(copy, step):
                    outputs = run_model(side, copy, inputs)
                layout = OutputLayout(side.pair, _shaped(outputs))
                loss = loss_of(side, outputs, targets, layout)
                return loss, split(copy, optimizer.wrt)[2]

            (loss, rest_after), grads = jax.value_and_grad(objective, has_aux=True)(params)
            nnx.update(model, rest_after)
            call(side.pair, "port_optimizer", optimizer.update, model, grads)
            return nnx.state((model, optimizer)), loss, grads

        return program

    def _put(self, model: nnx.Module, oracle: Mapping[str, np.ndarray], prefix: str) -> None:
        """Load those of the oracle's tensors that stand under `prefix`."""
        now = self.side.bridge.to_canonical(flax_end.export(model))
        given = {n: oracle.get(f"{prefix}/{n}", a).astype(a.dtype) for n, a in now.items()}
        flax_end.load(model, flax_end.export(model) | self.side.bridge.to_flax(given))

    def _gradients(
        self,
        model: nnx.Module,
        optimizer: nnx.Optimizer[Any],
        oracle: Mapping[str, np.ndarray],
        prefix: str,
    ) -> Any:
        """The oracle's gradients as a tree like the port's parameters."""
        state = split(model, optimizer.wrt)[1]
        bridge = self.side.bridge.parameters()
        given = {
            # A parameter that the reference has frozen has no gradient there.
            tensor.full: oracle.get(f"{prefix}/{tensor.full}", np.zeros(tensor.spec.shape)).astype(
                self.side.job.dtype
            )
            for binding in bridge.bindings
            for tensor in binding.canonical.values()
        }
        there = bridge.to_flax(given)
        flat_state = {path: leaf for path, leaf in nnx.to_flat_state(state)}
        return nnx.from_flat_state(
            {
                path: leaf.replace(self.side.to_device(there["/".join(map(str, path))]))
                for path, leaf in flat_state.items()
            }
        )

    def _evaluated(self, model: nnx.Module) -> Arrays:
        model.eval()
        inputs, _ = self.side.batch("full")
        plain = numpy_outputs(run_model(self.side, model, inputs))
        return OutputLayout(self.side.pair, plain).to_canonical(flat(plain))

    def _slots_of(self, optimizer: nnx.Optimizer[Any]) -> Slots:
        return Slots.of(self.side, optimizer)

    def _state(self, prefix: str, model: nnx.Module, optimizer: nnx.Optimizer[Any]) -> Arrays:
        """Parameters, slots and buffers as they are, under `prefix`."""
        everything = self.side.bridge.to_canonical(flax_end.export(model))
        roles = {name: spec.role for name, spec in self.side.reference.tensors()}
        arrays = {
            f"{prefix}/{'buffer' if roles[n] == 'buffer' else 'parameter'}/{n}": array
            for n, array in everything.items()
        }
        for slot, values in self._slots_of(optimizer).canonical().items():
            arrays |= _named(f"{prefix}/slot/{slot}", values)
        return arrays


def _shaped(outputs: Any) -> Any:
    """Zeros of the shapes of traced outputs."""
    return change_leaves(outputs, is_array, lambda _, a: np.zeros(a.shape, a.dtype))


def _named(prefix: str, arrays: Mapping[str, Any]) -> Arrays:
    return {f"{prefix}/{name}": array for name, array in arrays.items()}
