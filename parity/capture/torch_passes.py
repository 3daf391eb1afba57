"""Passes through the reference: every layer's outputs and cotangents, free and teacher-forced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from parity.capture.leaves import change_arguments, change_leaves, leaves
from parity.capture.torch_model import (
    Arrays,
    backward,
    buffers,
    gradients,
    loss_of,
    output_leaves,
    run_model,
)
from parity.capture.torch_tap import (
    Call,
    Recording,
    biased_variances,
    host,
    is_tensor,
    recording,
    shared_dropout,
    tap,
)

if TYPE_CHECKING:
    from parity.capture.from_torch import Side

PASSES = {"train": "full", "eval": "full", "short": "short"}
"""Pass -> its batch."""


class Passes:
    """The passes of one side, and what they left for teacher forcing."""

    def __init__(self, side: Side, random_seed: int | None = None) -> None:
        self.side = side
        self._random_seed = side.job.seed if random_seed is None else random_seed
        self.recordings: dict[str, Recording] = {}
        self.outputs: dict[str, dict[str, list[int]]] = {}
        """The shapes of what the model returned, of each pass."""

    @property
    def timeline(self) -> dict[str, list[list[Any]]]:
        """The events of each recorded pass."""
        return {name: self.recordings[name].timeline for name in ("train", "eval")}

    @property
    def shapes(self) -> dict[str, list[int]]:
        """The shape of everything that was recorded, for the port to tell its layouts."""
        return {
            f"{name}/{key}": list(array.shape)
            for name, recording in self.recordings.items()
            for key, array in recording.arrays.items()
        }

    def forward(self) -> Arrays:
        """Outputs, losses and every layer's inputs and outputs; buffers after a training pass."""
        arrays: Arrays = {}
        torch.manual_seed(self._random_seed)
        for name, batch in PASSES.items():
            arrays |= self._forward(name, batch)
        return arrays

    def _forward(self, name: str, batch: str) -> Arrays:
        side = self.side
        side.reset()
        side.model.train(name != "eval")
        inputs, targets = side.batch(batch)
        with (
            torch.no_grad(),
            recording(side.model) as record,
            shared_dropout(side.model, 0),
            biased_variances(side.model) as biased,
        ):
            outputs = run_model(side, inputs)
            found = output_leaves(side, outputs)
            loss = loss_of(side, outputs, targets)
        self.recordings[name] = record
        self.outputs[name] = {leaf: list(t.shape) for leaf, t in found.items()}
        arrays = {f"{name}/output/{leaf}": host(t) for leaf, t in found.items()}
        arrays[f"{name}/loss"] = host(loss)
        if name == "short":
            return arrays
        arrays |= {f"{name}/{key}": a for key, a in record.arrays.items()}
        if name == "train":
            arrays |= {f"train/buffer/{n}": a for n, a in buffers(side).items()}
            arrays |= {f"biased/train/buffer/{n}": host(t) for n, t in biased.items()}
        return arrays

    def gradient(self) -> Arrays:
        """Cotangents of every layer's outputs and gradients of every parameter."""
        side = self.side
        side.reset()
        side.model.train()
        inputs, targets = side.batch("full")
        with (
            recording(side.model, cotangents=True) as record,
            shared_dropout(side.model, 0),
        ):
            outputs = run_model(side, inputs)
            output_leaves(side, outputs)
            backward(side, loss_of(side, tap(outputs, "output", record), targets))
        arrays = {f"cotangent/{place}": a for place, a in record.cotangents.items()}
        return arrays | {f"gradient/{n}": a for n, a in gradients(side).items()}

    def forced(self, oracle: Mapping[str, np.ndarray]) -> Arrays:
        """Each leaf layer alone, and the loss alone, given the oracle's numbers."""
        arrays: Arrays = {}
        for name in ("train", "eval"):
            for place, one in self._leaf_calls(name):
                arrays |= self._forced_layer(name, place, one, oracle)
        for name in ("train", "short"):
            arrays |= self._forced_loss(name, oracle)
        return arrays

    def _leaf_calls(self, name: str) -> list[tuple[str, Call]]:
        return [(p, c) for p, c in self.recordings[name].calls.items() if c.is_leaf]

    def _forced_layer(
        self, name: str, place: str, one: Call, oracle: Mapping[str, np.ndarray]
    ) -> Arrays:
        side = self.side
        side.reset_buffers()
        side.model.train(name == "train")

        made: dict[str, torch.Tensor] = {}
        given_as: dict[str, torch.Tensor] = {}

        def given(leaf: str, tensor: torch.Tensor) -> torch.Tensor:
            if leaf not in one.aliases:
                made[leaf] = own(leaf, tensor)
                # A copy, for layers that work in place: autograd does not let them on a leaf.
                given_as[leaf] = made[leaf].clone()
            return given_as[one.aliases.get(leaf, leaf)]

        def own(leaf: str, tensor: torch.Tensor) -> torch.Tensor:
            array = oracle.get(f"{name}/enter/{place}/{leaf}")
            value = tensor.clone() if array is None else side.to_device(array).to(tensor.dtype)
            return value.requires_grad_(name == "train" and value.is_floating_point())

        args, kwargs = change_arguments(one.args, one.kwargs, is_tensor, given)
        with shared_dropout(side.model, 0, first_call=int(place.rpartition("#")[2])):
            value = one.module(*args, **kwargs)
        found = leaves(value, is_tensor)
        arrays = {f"forced/{name}/exit/{place}/{leaf}": host(t) for leaf, t in found.items()}
        if name == "eval":
            return arrays
        cotangents = {leaf: oracle.get(f"cotangent/{place}/{leaf}") for leaf in found}
        roots = {leaf: c for leaf, c in cotangents.items() if c is not None}
        if not roots:
            return arrays
        torch.autograd.backward(
            [found[leaf] for leaf in roots], [side.to_device(c) for c in roots.values()]
        )
        for leaf, tensor in made.items():
            if tensor.grad is not None:
                arrays[f"forced/cotangent/{place}/{leaf}"] = host(tensor.grad)
        inside = {id(p) for p in one.module.parameters()}
        for parameter, gradient in gradients(side, inside).items():
            arrays[f"forced/gradient/{place}/{parameter}"] = gradient
        return arrays

    def _forced_loss(self, name: str, oracle: Mapping[str, np.ndarray]) -> Arrays:
        """The loss of the oracle's outputs, and its derivative."""
        side = self.side
        side.reset()
        side.model.train()
        inputs, targets = side.batch(PASSES[name])
        with torch.no_grad(), shared_dropout(side.model, 0):
            outputs = run_model(side, inputs)
        given = {}

        def replaced(leaf: str, tensor: torch.Tensor) -> torch.Tensor:
            value = side.to_device(oracle[f"{name}/output/{leaf}"]).to(tensor.dtype)
            given[leaf] = value.requires_grad_(value.is_floating_point())
            return given[leaf]

        outputs = change_leaves(outputs, is_tensor, replaced)
        loss = loss_of(side, outputs, targets)
        arrays = {f"forced/{name}/loss": host(loss)}
        if name == "train":
            backward(side, loss)
            for leaf, tensor in given.items():
                if tensor.grad is not None:
                    arrays[f"forced/cotangent/output/{leaf}"] = host(tensor.grad)
        return arrays
