"""What the examples' tests share: a pair's two models on the same weights, in float64.

These tests look at the models themselves; that the harness passes a pair is tested beside them.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx

from parity import Pair
from parity.bridge import flax_end, torch_end
from parity.bridge.mapping import Mapping as WeightMap
from parity.bridge.matching import match
from parity.numerics import difference
from parity.pair_file import load_pair

TOLERANCE = 1e-10
EXAMPLES = Path(__file__).parents[2] / "examples"

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Twins:
    """A pair's two models, freshly built, and the map between them."""

    pair: Pair
    reference: torch.nn.Module
    port: nnx.Module
    mapping: WeightMap

    def carry_over(self) -> None:
        """Give both the same float64 weights, of which none is a constant; no dropout."""
        self.reference.double()
        random = np.random.default_rng(3)
        weights = {n: _moved(n, a, random) for n, a in torch_end.export(self.reference).items()}
        torch_end.load(self.reference, weights)
        flax_end.load(self.port, self.mapping.to_flax(weights))
        for module in self.reference.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        for _, node in nnx.iter_modules(self.port):
            if isinstance(node, nnx.Dropout):
                node.rate = 0.0

    def batch(self, size: int) -> tuple[Any, Any]:
        """Inputs and targets, floats in float64."""
        inputs = self.pair.inputs(np.random.default_rng(7), size)
        make = self.pair.targets
        if make is None:
            return inputs, None
        made_of = (inputs,) if len(inspect.signature(make).parameters) > 2 else ()
        return inputs, make(np.random.default_rng(8), size, *made_of)

    def outputs_of_reference(self, inputs: Any) -> Arrays:
        return _named(_called(self.reference, _tensors(inputs)))

    def outputs_of_port(self, inputs: Any) -> Arrays:
        given = jax.tree.map(jnp.asarray, self.pair.port_inputs(inputs))
        found = nnx.jit(_called)(self.port, given)
        return _named(self.pair.port_outputs(jax.tree.map(np.asarray, found)))

    def gradients_of_reference(self, inputs: Any, targets: Any) -> Arrays:
        outputs = _called(self.reference, _tensors(inputs))
        if self.pair.reference_loss:
            loss = self.pair.reference_loss(outputs, _tensors(targets))
        else:
            loss = sum((t * t).sum() for t in jax.tree.leaves(outputs))
        loss.backward()
        return {n: p.grad.numpy() for n, p in self.reference.named_parameters()}

    def gradients_of_port(self, inputs: Any, targets: Any) -> Arrays:
        given = jax.tree.map(jnp.asarray, self.pair.port_inputs(inputs))

        def loss(model: nnx.Module, given: Any) -> Any:
            outputs = _called(model, given)
            if self.pair.port_loss:
                return self.pair.port_loss(outputs, self.pair.port_targets(targets))
            return sum((a * a).sum() for a in jax.tree.leaves(outputs))

        found = nnx.jit(nnx.grad(loss))(self.port, given)
        flat = {"/".join(map(str, path)): v for path, v in nnx.to_flat_state(found)}
        return self.mapping.gradients_to_canonical(
            {name: np.asarray(v.get_value()) for name, v in flat.items()}
        )

    def buffers_of_reference(self) -> Arrays:
        buffers = dict(self.reference.named_buffers())
        return {n: a for n, a in torch_end.export(self.reference).items() if n in buffers}

    def buffers_of_port(self) -> Arrays:
        arrays = self.mapping.to_canonical(flax_end.export(self.port))
        return {name: arrays[name] for name in self.buffers_of_reference()}


@pytest.fixture
def twins() -> Callable[..., Twins]:
    """Build both models of an example's pair."""

    def build(name: str, seed: int = 0) -> Twins:
        pair = load_pair(str(EXAMPLES / name / "pair.py"))
        torch.manual_seed(seed)
        reference, port = pair.reference(seed), pair.port(seed)
        declared = {
            f.name: getattr(pair, f.name)
            for f in dataclasses.fields(pair)
            if f.name in ("renames", "rules", "flattens", "waivers")
        }
        ours, theirs = torch_end.describe(reference), flax_end.describe(port)
        return Twins(pair, reference, port, match(ours, theirs, **declared))

    return build


@pytest.fixture
def start_alike(twins: Callable[..., Twins]) -> Callable[[str], None]:
    """Both models' own initial values have the same distribution, tensor by tensor.

    Mean and spread of a tensor over some seeds, within six standard errors; constants exactly.
    """

    def start_alike(name: str, seeds: int = 3) -> None:
        samples: dict[str, list[list[np.ndarray]]] = {}
        for seed in range(seeds):
            both = twins(name, seed)
            there = torch_end.export(both.reference)
            here = both.mapping.to_canonical(flax_end.export(both.port))
            assert there.keys() == here.keys()
            for tensor in there:
                pair = samples.setdefault(tensor, [[], []])
                pair[0].append(there[tensor].ravel())
                pair[1].append(here[tensor].ravel())
        wrong = {n: t for n, (a, b) in samples.items() if (t := _unlike(*map(np.hstack, (a, b))))}
        assert not wrong

    return start_alike


@pytest.fixture
def evaluation_agrees(twins: Callable[..., Twins]) -> Callable[[str], None]:
    """Same outputs in eval mode, on the same weights and running statistics."""

    def evaluation_agrees(name: str) -> None:
        with jax.enable_x64(True):
            both = twins(name)
            both.carry_over()
            both.reference.eval()
            both.port.eval()
            inputs, _ = both.batch(both.pair.short_batch_size)
            with torch.no_grad():
                there = both.outputs_of_reference(inputs)
            assert_same(both.outputs_of_port(inputs), there)

    return evaluation_agrees


@pytest.fixture
def training_agrees(twins: Callable[..., Twins]) -> Callable[[str], tuple[Arrays, Arrays, Arrays]]:
    """Same outputs and gradients in training mode; the buffers before and after, for the test.

    Returns the buffers before, and after a forward pass: the reference's, the port's.
    """

    def training_agrees(name: str) -> tuple[Arrays, Arrays, Arrays]:
        with jax.enable_x64(True):
            both = twins(name)
            both.carry_over()
            both.reference.train()
            both.port.train()
            before = both.buffers_of_reference()
            inputs, targets = both.batch(both.pair.batch_size)
            with torch.no_grad():
                there = both.outputs_of_reference(inputs)
            assert_same(both.outputs_of_port(inputs), there)
            after = both.buffers_of_reference(), both.buffers_of_port()
            there = both.gradients_of_reference(inputs, targets)
            assert_same(both.gradients_of_port(inputs, targets), there)
            return before, *after

    return training_agrees


def assert_same(here: Mapping[str, np.ndarray], there: Mapping[str, np.ndarray]) -> None:
    """Normwise relative difference, array by array. What is zero by structure, as the gradient of
    a bias before a norm, is measured by the largest of all."""
    assert here.keys() == there.keys()
    assert all(here[n].shape == a.shape for n, a in there.items())
    assert all(here[n].dtype == a.dtype == np.float64 for n, a in there.items())
    floor = 1e-3 * max(float(np.abs(a).max()) for a in there.values())
    errors = {n: difference(a, here[n], floor).error for n, a in there.items()}
    assert max(errors.values()) <= TOLERANCE, errors


def _named(value: Any, name: str = "") -> Arrays:
    """The arrays of nested dicts and tuples by name."""
    if isinstance(value, dict):
        return {
            n: a for key, item in value.items() for n, a in _named(item, f"{name}{key}.").items()
        }
    if isinstance(value, tuple | list):
        return _named(dict(enumerate(value)), name)
    array = value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
    return {name: array}


def _called(model: Any, inputs: Any) -> Any:
    if isinstance(inputs, dict):
        return model(**inputs)
    return model(*inputs) if isinstance(inputs, tuple | list) else model(inputs)


def _tensors(value: Any) -> Any:
    return jax.tree.map(lambda a: torch.from_numpy(np.array(a)), value)


def _moved(name: str, array: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """What starts as a constant gets values of its own, or faults with it would not be seen."""
    if array.dtype.kind != "f" or (array != array.flat[0]).any():
        return array
    if name.endswith("running_var"):
        return random.uniform(0.5, 1.5, array.shape)
    return array + random.uniform(-0.1, 0.1, array.shape)


def _unlike(there: np.ndarray, here: np.ndarray) -> str:
    """What differs between two samples of the same distribution, or nothing."""
    there, here = there.astype(np.float64), here.astype(np.float64)
    if np.ptp(there) == 0 or np.ptp(here) == 0:
        return "" if np.array_equal(there, here) else f"constant: {there[0]}, here {here[0]}"
    spread, count = there.std(), len(there)
    # The variance of a sample variance is at most 2 / n of a normal one's.
    apart = abs(here.mean() - there.mean()) / (spread * math.sqrt(2 / count))
    wider = abs(math.log(here.std() / spread)) / math.sqrt(1 / count)
    bound = abs(math.log(np.abs(here).max() / np.abs(there).max())) if count > 300 else 0.0
    if apart > 6 or wider > 6 or bound > 0.35:
        return f"{apart:.1f} and {wider:.1f} standard errors, extremes {bound:.2f}"
    return ""
