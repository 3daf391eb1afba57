"""Self-checks of the port: that looking changes nothing, and that it repeats itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from parity.bridge import flax_end
from parity.capture import own_dropout
from parity.capture.capture_file import Capture
from parity.capture.checks import check, outcome, unlike
from parity.capture.jax_passes import (
    Arrays,
    OutputLayout,
    Passes,
    copy_of,
    flat,
    loss_of,
    merged,
    numpy_outputs,
    parameters,
    run_model,
    split,
)
from parity.capture.jax_tap import host
from parity.capture.start import start_digest
from parity.grouping import listed
from parity.pair import PairError

if TYPE_CHECKING:
    from parity.capture.from_jax import Side


def run(side: Side, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Every check's name and outcome. Raises `PairError` for a model that draws its own numbers."""
    again = Passes(side)
    repeated = again.forward() | again.gradient()
    _check_no_random_numbers(side, repeated)
    checks = {
        "the port repeats itself, bit by bit": check(repeated, arrays),
        "capturing the port changes no number": check(_without_capturing(side), arrays),
    }
    checks |= own_dropout.check(side)
    if side.job.lane == "float64":
        default = jnp.asarray(1.0).dtype
        checks["x64 is on"] = outcome(default == np.float64, f"JAX's default float is {default}")
    return checks


def start_is_untouched(side: Side, begin: Capture) -> dict[str, Any]:
    """That training did not reach what both sides start from."""
    same = start_digest(begin.arrays) == begin.about["start"]
    detail = "" if same else "the weights or batches that both sides start from have changed"
    return {"the port shares no memory with what crosses": outcome(same, detail)}


def _check_no_random_numbers(side: Side, expected: Mapping[str, np.ndarray]) -> None:
    """Run once more with other random keys."""
    keys = nnx.state(side.model, nnx.RngKey)
    changed = jax.tree.map(lambda key: jax.random.fold_in(key, 1), keys)
    nnx.update(side.model, changed)
    other = Passes(side)
    different = unlike(other.forward(), expected)
    nnx.update(side.model, keys)
    if different:
        place = next((n for n in different if "/exit/" in n), different[0])
        raise PairError(
            f"pair {side.pair.name!r}: the port cannot be captured: it draws random numbers of its "
            f"own, first at {place}; the harness shares only the masks of nnx.Dropout layers with "
            f"the reference: switch the others off in the pair{_unseen_dropout(side)}"
        )


def _unseen_dropout(side: Side) -> str:
    """Dropout layers that have asked for no mask, as the end of a sentence."""
    layers = flax_end.modules(side.model).items()
    active = [p for p, m in layers if p in side.dropouts and m.rate]  # type: ignore[attr-defined]
    unseen = [path for path in active if side.dropouts[path] not in side.masked]
    if not unseen:
        return ""
    return f" (nnx.Dropout layers whose calls could not be seen: {listed(unseen)})"


def _without_capturing(side: Side) -> Arrays:
    """Outputs, losses and gradients of a run in which nothing is looked at."""
    arrays: Arrays = {}
    inputs, targets = side.batch("full")
    for name in ("eval", "train"):
        model = copy_of(side, training=name == "train")
        with side.dropout(model, 0):
            outputs = run_model(side, model, inputs)
        layout = OutputLayout(side.pair, numpy_outputs(outputs))
        found = layout.to_canonical(flat(numpy_outputs(outputs)))
        arrays |= {f"{name}/output/{leaf}": a for leaf, a in found.items()}
        arrays[f"{name}/loss"] = host(loss_of(side, outputs, targets, layout))
    graph, params, rest = split(copy_of(side, training=True), nnx.Param)

    def objective(params: Any) -> jax.Array:
        model = merged(graph, params, rest)
        with side.dropout(model, 0):
            outputs = run_model(side, model, inputs)
        return loss_of(side, outputs, targets, layout)

    grads = parameters(side, jax.grad(objective)(params))
    return arrays | {f"gradient/{n}": g for n, g in grads.items()}
