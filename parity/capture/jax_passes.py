"""Passes through the port: every layer's outputs and cotangents, free and teacher-forced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from flax import nnx

from parity.capture import pairing, start
from parity.capture.jax_model import (
    Arrays,
    buffers,
    copy_of,
    flat,
    loss_of,
    merged,
    numpy_outputs,
    parameters,
    run_model,
    split,
)
from parity.capture.jax_tap import Recording, host, recording, tap_outputs
from parity.capture.leaves import leaves
from parity.capture.output_layout import OutputLayout
from parity.pair import PairError

if TYPE_CHECKING:
    from parity.capture.from_jax import Side

PASSES = {"train": "full", "eval": "full", "short": "short"}
"""Pass -> its batch."""


class Passes:
    """The passes of the port, and what they left for teacher forcing."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.recordings: dict[str, Recording] = {}
        self.layouts: dict[str, OutputLayout] = {}
        self.unforced: dict[str, str] = {}
        self._unlike: dict[str, str] = {}

    def forward(self) -> Arrays:
        """Outputs, losses and every layer's inputs and outputs; buffers after a training pass."""
        arrays: Arrays = {}
        for name, batch in PASSES.items():
            arrays |= self._forward(name, batch)
        return arrays

    def _forward(self, name: str, batch: str) -> Arrays:
        side = self.side
        model = copy_of(side, training=name != "eval")
        inputs, targets = side.batch(batch)
        with side.dropout(model, 0), recording(model) as record:
            outputs = run_model(side, model, inputs)
        plain = numpy_outputs(outputs)
        if not leaves(plain, start.is_numpy):
            raise PairError(
                f"pair {side.pair.name!r}: the port returned {type(outputs).__name__} without any "
                "array; expected an array, or a tuple or dict of arrays"
            )
        layout = self.layouts[name] = OutputLayout(side.pair, plain)
        _check_outputs(side, name, layout)
        self.recordings[name] = record
        loss = loss_of(side, outputs, targets, layout)
        arrays = {f"{name}/output/{n}": a for n, a in layout.to_canonical(flat(plain)).items()}
        arrays[f"{name}/loss"] = host(loss)
        if name == "short":
            return arrays
        arrays |= self._canonical(name, record)
        if name == "train":
            arrays |= {f"train/buffer/{n}": a for n, a in buffers(side, model).items()}
        return arrays

    def _canonical(self, name: str, record: Recording) -> Arrays:
        """What was recorded, under the reference's paths and in its layouts."""
        arrays = {}
        for key, array in record.arrays.items():
            kind, place, leaf = _parts(key)
            path, _, number = place.rpartition("#")
            if path not in self.side.paths:
                continue
            own = self.side.paths[path]
            renamed = f"{kind}/{own}#{number}/{leaf}"
            layout = self.side.layout(f"{name}/{renamed}", own, array.shape)
            if layout is None:
                self._unlike[renamed] = f"its layout cannot be told from its shape {array.shape}"
            else:
                arrays[f"{name}/{renamed}"] = layout.to_canonical(array)
        return arrays

    def gradient(self) -> Arrays:
        """Cotangents of every layer's outputs and gradients of every parameter."""
        side = self.side
        inputs, targets = side.batch("full")
        layout = self.layouts["train"]
        record = Recording()

        def objective(params: Any) -> jax.Array:
            model = merged(graph, params, rest)
            with side.dropout(model, 0), recording(model, cotangents=True) as seen:
                outputs = tap_outputs(run_model(side, model, inputs), seen)
                record.cotangents, record.traced = seen.cotangents, seen.traced
            return loss_of(side, outputs, targets, layout)

        graph, params, rest = split(copy_of(side, training=True), nnx.Param)
        grads = jax.grad(objective)(params)
        arrays: Arrays = {}
        outputs = {n[len("output/") :]: a for n, a in record.cotangents.items() if _is_output(n)}
        if outputs:
            filled = layout.zeros() | outputs
            arrays |= {f"cotangent/output/{n}": a for n, a in layout.to_canonical(filled).items()}
        for key, array in record.cotangents.items():
            place, _, leaf = key.rpartition("/")
            path, _, number = place.rpartition("#")
            if not _is_output(key) and path in side.paths:
                own = side.paths[path]
                name = f"train/exit/{own}#{number}/{leaf}"
                if lies := side.layout(name, own, array.shape):
                    arrays[f"cotangent/{own}#{number}/{leaf}"] = lies.to_canonical(array)
        return arrays | {f"gradient/{n}": a for n, a in parameters(side, grads).items()}

    def uncompared(self) -> tuple[dict[str, str], list[str]]:
        """Layers and calls of the reference that the port has none for, and why; and arguments and
        results that only the reference's layers have."""
        side, paths = self.side, self.side.paths
        called = {
            name: {
                f"{paths[p]}#{c}"
                for p, _, c in (place.rpartition("#") for place in self.recordings[name].calls)
                if p in paths
            }
            for name in ("train", "eval")
        }
        traced = {paths[p] for r in self.recordings.values() for p in r.traced if p in paths}
        timeline = side.begin.about["timeline"]
        found = pairing.without_counterpart(timeline, paths, called, traced)
        return found | self._unlike, self._loose_leaves(timeline, found)

    def _loose_leaves(
        self, timeline: Mapping[str, list[list[Any]]], without: Mapping[str, str]
    ) -> list[str]:
        there: set[str] = set()
        for record in self.recordings.values():
            for key in record.arrays:
                kind, place, leaf = _parts(key)
                path, _, number = place.rpartition("#")
                there.add(f"{kind}/{self.side.paths.get(path, '')}#{number}/{leaf}")
        named = {
            f"{kind}/{path}#{number}/{leaf}"
            for events in timeline.values()
            for kind, path, number, names, _ in events
            for leaf in names
            if path not in without and f"{path}#{number}" not in without
        }
        return sorted(named - there)

    def forced(self, oracle: Mapping[str, np.ndarray]) -> Arrays:
        """Each layer alone, and the loss alone, given the oracle's numbers."""
        from parity.capture.jax_forced import forced_layer, forced_loss

        arrays: Arrays = {}
        leaf_places = {
            f"{path}#{number}"
            for events in self.side.begin.about["timeline"].values()
            for kind, path, number, _, is_leaf in events
            if is_leaf
        }
        for name in ("train", "eval"):
            for place, one in self.recordings[name].calls.items():
                path, _, number = place.rpartition("#")
                own = self.side.paths.get(path)
                if own is not None and f"{own}#{number}" in leaf_places:
                    made = forced_layer(self.side, name, f"{own}#{number}", one, oracle)
                    if isinstance(made, str):
                        self.unforced[f"{own}#{number}"] = made
                    else:
                        arrays |= made
        for name in ("train", "short"):
            arrays |= forced_loss(self.side, name, self.layouts[name], oracle)
        return arrays


def _is_output(key: str) -> bool:
    return key.startswith("output/")


def _parts(key: str) -> tuple[str, str, str]:
    """'enter/a/b#0/x' -> 'enter', 'a/b#0', 'x'; the port's paths have slashes."""
    kind, _, rest = key.partition("/")
    place, _, leaf = rest.rpartition("/")
    return kind, place, leaf


def _check_outputs(side: Side, name: str, layout: OutputLayout) -> None:
    """Raise `PairError` unless the outputs are named and shaped as the reference's."""
    expected = {n: tuple(s) for n, s in side.begin.about["outputs"][name].items()}
    if layout.shapes != expected:
        raise PairError(
            f"pair {side.pair.name!r}: the models return different things ({name} pass)\n"
            f"  reference: {_shown(expected)}\n  port: {_shown(layout.shapes)}\n"
            "give both the same outputs; port_outputs turns the port's into canonical form"
        )


def _shown(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name}: {shape}" for name, shape in shapes.items())
