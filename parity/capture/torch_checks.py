"""Self-checks of the reference: that looking changes nothing, and that it repeats itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from parity.capture.checks import check, outcome, unlike
from parity.capture.start import start_digest
from parity.capture.torch_model import (
    Arrays,
    backward,
    gradients,
    loss_of,
    output_leaves,
    run_model,
)
from parity.capture.torch_passes import Passes
from parity.capture.torch_tap import host, shared_dropout
from parity.pair import PairError

if TYPE_CHECKING:
    from parity.capture.from_torch import Side


def run(side: Side, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Every check's name and outcome. Raises `PairError` for a model that draws its own numbers."""
    again = Passes(side)
    repeated = again.forward() | again.gradient()
    other = Passes(side, random_seed=side.job.seed + 1)
    if different := unlike(other.forward(), repeated):
        raise PairError(
            f"pair {side.pair.name!r}: the reference cannot be captured: it draws random numbers "
            f"of its own, first at {_first(other.timeline, different)}; the harness shares only "
            "the masks of nn.Dropout layers with the port: switch the others off in the pair"
        )
    return {
        "the reference repeats itself, bit by bit": check(repeated, arrays),
        "capturing the reference changes no number": check(_without_capturing(side), arrays),
    }


def forced_on_itself(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """That each layer alone, fed with its own input, returns what it returned."""
    start = "forced/"
    forced = {n.removeprefix(start): a for n, a in arrays.items() if "/exit/" in n}
    forced = {n: a for n, a in forced.items() if f"{start}{n}" in arrays}
    return {"teacher forcing the reference on itself is exact": check(forced, arrays)}


def start_is_untouched(side: Side, digest: str) -> dict[str, Any]:
    """That training in place did not reach what both sides start from."""
    same = start_digest(side.start_arrays()) == digest
    detail = "" if same else "the weights or batches that both sides start from have changed"
    return {"the reference shares no memory with what crosses": outcome(same, detail)}


def _without_capturing(side: Side) -> Arrays:
    side.reset()
    arrays: Arrays = {}
    for name in ("eval", "train"):
        side.reset()
        side.model.train(name == "train")
        inputs, targets = side.batch("full")
        with shared_dropout(side.model, 0):
            outputs = run_model(side, inputs)
            loss = loss_of(side, outputs, targets)
            found = output_leaves(side, outputs)
            arrays |= {f"{name}/output/{leaf}": host(t) for leaf, t in found.items()}
            arrays[f"{name}/loss"] = host(loss)
    backward(side, loss)
    return arrays | {f"gradient/{n}": g for n, g in gradients(side).items()}


def _first(timeline: Mapping[str, list[list[Any]]], different: list[str]) -> str:
    """The first layer of the forward pass whose output is among what differs."""
    for name, events in timeline.items():
        for kind, path, call, *_ in events:
            if any(n.startswith(f"{name}/{kind}/{path}#{call}/") for n in different):
                return f"{path} (call {call + 1}, {name} pass)"
    return different[0]
