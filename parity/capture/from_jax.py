"""The port's capture: what JAX computes, converted to canonical form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from parity.bridge import flax_end
from parity.bridge.matching import match
from parity.bridge.structure import Structure
from parity.capture import jax_checks, jax_init, pairing, start
from parity.capture.about import common_header
from parity.capture.capture_file import Capture
from parity.capture.float64_attention import float64_attention
from parity.capture.jax_device import describe_device, select
from parity.capture.jax_dropout import dropout_of
from parity.capture.jax_passes import Passes
from parity.capture.jax_steps import Steps
from parity.capture.layout import Layout, layout_of, rebatched
from parity.capture.loaders import loader_arrays
from parity.capture.plan import Job
from parity.capture.promotion import promote
from parity.pair import Pair, PairError
from parity.user_code import call

Report = Callable[[str], None]


def capture(
    pair: Pair, job: Job, begin: Capture, oracle: Callable[[], Capture], report: Report
) -> Capture:
    """Run the port as `job` says. Raises `UserError`.

    `begin` has what both start from, `oracle()` gives the reference's whole capture in float64 and
    may wait for it.
    """
    device = select(job)
    with jax.default_device(device), ExitStack() as stack:
        promoted = stack.enter_context(float64_attention()) if job.lane == "float64" else []
        side = Side(pair, job, begin)
        about = side.header(describe_device(device))
        report("layers")
        passes = Passes(side)
        arrays = side.start_arrays() | passes.forward()
        arrays |= passes.gradient()
        about["uncompared"], about["loose_leaves"] = passes.uncompared()
        about["port_only"] = side.port_only
        report("self-checks")
        about["checks"] |= jax_checks.run(side, arrays)
        report("update steps")
        steps = Steps(side)
        arrays |= steps.update()
        report("trajectory")
        recorded, snapshots = steps.trajectory()
        arrays |= recorded
        about["steps"] = {"update": steps.numbers, "rates": steps.rates, "trajectory": snapshots}
        about["slots"], about["loose_slots"] = steps.slots, steps.loose_slots
        if job.lane == "float64":
            report("loader and initialisation")
            found, about["data"], about["sizes"] = loader_arrays(pair, pair.port_training)
            arrays |= found
            sampled, about["init"] = jax_init.sample(side)
            arrays |= sampled
        report("waiting for the reference")
        given = oracle()
        if given.about["start"] != about["start"]:
            raise PairError(f"{given.where}: it did not start where {begin.where} says")
        report("each layer alone")
        arrays |= passes.forced(given.arrays)
        arrays |= steps.forced(given.arrays)
        about["unforced"] = passes.unforced
        about["checks"] |= jax_checks.start_is_untouched(side, begin)
        about["promoted"] = [*side.promoted, *dict.fromkeys(promoted)]
    return Capture(about, arrays)


def build(pair: Pair, seed: int) -> nnx.Module:
    """The pair's port, freshly initialised. Raises `PairError`."""
    model = call(pair, "port", pair.port, seed)
    if not isinstance(model, nnx.Module):
        raise PairError(
            f"pair {pair.name!r}: port returned {type(model).__name__}, expected a flax.nnx.Module"
        )
    return model


class Side:
    """The port with what it starts from, and its ties to the reference."""

    def __init__(self, pair: Pair, job: Job, begin: Capture) -> None:
        self.pair, self.job, self.begin = pair, job, begin
        self.model = build(pair, job.seed)
        self.reference = Structure.from_dict(begin.about["structure"])
        self.structure = flax_end.describe(self.model)
        self.bridge = match(
            self.reference,
            self.structure,
            renames=pair.renames,
            rules=pair.rules,
            flattens=pair.flattens,
            waivers=pair.waivers,
        )
        self.promoted = promote(self.model) if job.lane == "float64" else []
        self.paths = pairing.canonical_paths(self.reference, self.structure, pair, self.bridge)
        self.kinds = pairing.kinds(self.reference)
        self.dropouts = pairing.dropout_places(self.reference, self.structure, self.paths, pair)
        self.masked: set[str] = set()
        """The reference's dropout layers whose masks the port's have taken."""
        waived = {waiver.name for waiver in pair.waivers}
        weights = {
            name: start.cast(array, job.dtype)
            for name, array in begin.under("weight").items()
            if name not in waived
        }
        flax_end.load(self.model, flax_end.export(self.model) | self.bridge.to_flax(weights))

    @property
    def port_only(self) -> dict[str, str]:
        """The port's layers that the reference does not have, or not on that path."""
        inside = tuple(f"{path}/" for path in self.bridge.modules.values() if path)
        names = {m.path for m in self.structure.modules} - set(self.paths) - {""}
        names = {name for name in names if not name.startswith(inside or ("\0",))}
        return dict.fromkeys(sorted(names), "the reference has no layer of that path")

    def canonical(self) -> dict[str, np.ndarray]:
        """The model's weights and buffers as they are, in canonical form."""
        return self.bridge.to_canonical(flax_end.export(self.model))

    def batch(self, name: str) -> tuple[Any, Any]:
        """Inputs and targets of a batch, in the port's layouts and the lane's precision: copies."""
        made = start.batch_of_capture(self.begin, name)
        inputs = call(self.pair, "port_inputs", self.pair.port_inputs, made[0])
        targets = call(self.pair, "port_targets", self.pair.port_targets, made[1])
        return self.to_device(inputs), self.to_device(targets)

    def to_device(self, value: Any) -> Any:
        """NumPy arrays, nested, as JAX's in the lane's precision: copies."""
        if isinstance(value, dict):
            return {key: self.to_device(item) for key, item in value.items()}
        if isinstance(value, tuple | list):
            return tuple(self.to_device(item) for item in value)
        return None if value is None else jnp.array(start.cast(np.asarray(value), self.job.dtype))

    def start_arrays(self) -> dict[str, np.ndarray]:
        """What both sides start from: the weights as the port has them, on their way back."""
        given = {
            name: start.cast(array, self.job.dtype)
            for name, array in self.begin.arrays.items()
            if name.startswith(start.BATCH_PREFIXES)
        }
        weights = {f"weight/{n}": a for n, a in self.begin.under("weight").items()}
        there = {f"weight/{n}": a for n, a in self.canonical().items()}
        # A waived tensor, and one that the way there loses, is the reference's alone.
        lossy = tuple(f"weight/{path}." for path in self.bridge.lossy)
        kept = {n: start.cast(a, self.job.dtype) for n, a in weights.items()}
        return kept | {n: a for n, a in there.items() if not n.startswith(lossy or ("\0",))} | given

    def header(self, device: dict[str, Any]) -> dict[str, Any]:
        """What the capture's header says from the beginning."""
        about = common_header(self.pair, self.job, "port", self.pair.port_training, self.model)
        return about | {
            "framework": "JAX",
            "start": self.begin.about["start"],
            "structure": self.structure.as_dict(),
            "modules": self.bridge.modules,
            "paths": {own: theirs for theirs, own in self.paths.items()},
            "by_shape": sorted(self.bridge.by_shape),
            "lossy": self.bridge.lossy,
            "made_up": self._made_up(),
            "waivers": [{"name": w.name, "reason": w.reason} for w in self.pair.waivers],
            "left_out": {
                "reference": dict(self.reference.left_out),
                "port": dict(self.structure.left_out),
            },
            "table": self.bridge.table(),
            **device,
        }

    def _made_up(self) -> dict[str, str]:
        """Tensors of lossy layers that do not come back as they went, and why."""
        given, there = self.begin.under("weight"), self.canonical()
        return {
            name: why
            for path, why in self.bridge.lossy.items()
            for name, array in given.items()
            if name.startswith(f"{path}.") and name in there
            and not np.array_equal(start.cast(array, self.job.dtype), there[name])
        }  # fmt: skip

    def layout(self, name: str, path: str, port: tuple[int, ...]) -> Layout | None:
        """How an activation of the reference's layer `path` lies; None if it cannot be told.

        `name` is the capture's, PASS/enter/PATH#CALL/LEAF.
        """
        shape = self.begin.about["shapes"].get(name)
        if shape is None:
            return Layout()
        flatten = next((f.shape for f in self.pair.flattens if f.path == path), None)
        if flatten and "/enter/" in name and port and port[-1] == int(np.prod(flatten)):
            return Layout(flatten=flatten)
        return layout_of(self.kinds.get(path, ""), rebatched(shape, port), port)

    @contextmanager
    def dropout(self, model: nnx.Module, step: Any, first_call: int = 0) -> Iterator[None]:
        """Inside, the dropout layers of `model` take the masks that the reference's take too."""
        with dropout_of(self, model, step, first_call):
            yield
