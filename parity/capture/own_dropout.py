"""Whether the port's dropout layers drop by themselves as they should.

Elsewhere the harness draws their masks, the same for both frameworks; what a layer draws by itself
is seen here alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from parity.bridge import flax_end
from parity.capture.checks import outcome
from parity.capture.jax_model import copy_of, run_model
from parity.capture.jax_tap import Recording, recording
from parity.grouping import listed

if TYPE_CHECKING:
    from parity.capture.from_jax import Side

SIGMAS = 6.0
"""How far the share of what is kept may be off, in standard deviations: 2e-9 by chance."""

ENOUGH = 64
"""Values below which two masks may be equal by chance."""


def check(side: Side) -> dict[str, Any]:
    """One self-check for all dropout layers that are active; none where there are none."""
    layers = {
        path: module
        for path, module in flax_end.modules(side.model).items()
        if path in side.dropouts and 0 < module.rate < 1  # type: ignore[attr-defined]
    }
    if not layers:
        return {}
    model = copy_of(side, training=True)
    inputs, _ = side.batch("full")
    runs = []
    for _ in range(2):  # the same model goes on, as from one training step to the next
        with recording(model) as record:
            run_model(side, model, inputs)
        runs.append(record)
    faults = [
        fault
        for path, module in layers.items()
        for fault in _faults(path, float(module.rate), *runs)  # type: ignore[attr-defined]
    ]
    seen = [path for path in layers if any(k.startswith(f"enter/{path}#") for k in runs[0].arrays)]
    inside = [path for path in layers if path not in seen]
    detail = "; ".join(faults) or f"{len(seen)} layers; elsewhere the harness draws their masks"
    if inside:
        detail += f"; not looked at, inside a transformation: {listed(inside)}"
    return {"the port's dropout layers drop as they should": outcome(not faults, detail)}


def _faults(path: str, rate: float, first: Recording, second: Recording) -> list[str]:
    faults = []
    for key, given in first.arrays.items():
        if not key.startswith(f"enter/{path}#") or not jnp.issubdtype(given.dtype, jnp.floating):
            continue
        place = key.removeprefix("enter/")
        there = given != 0
        if int(there.sum()) < ENOUGH or f"exit/{place}" not in second.arrays:
            continue
        kept = first.arrays[f"exit/{place}"]
        again = second.arrays[f"exit/{place}"]
        faults += _faults_of(place, rate, given[there], kept[there], again, second.arrays[key])
    return faults


def _faults_of(
    place: str,
    rate: float,
    given: np.ndarray,
    kept: np.ndarray,
    again: np.ndarray,
    given_again: np.ndarray,
) -> list[str]:
    mask, name = kept != 0, place.partition("#")[0]
    faults = []
    scaled = np.abs(kept[mask] * (1 - rate) - given[mask]) <= 1e-4 * np.abs(given[mask])
    if not scaled.all():
        faults.append(f"{name}: what is kept is not divided by 1 - {rate:g}")
    # Broadcast dimensions drop whole channels together, so the share is only known roughly.
    share, spread = mask.mean(), np.sqrt(rate * (1 - rate) / ENOUGH)
    if abs(share - (1 - rate)) > SIGMAS * spread:
        faults.append(f"{name}: keeps {share:.0%}, and its rate is {rate:g}")
    other = again[given_again != 0] != 0
    if mask.shape == other.shape and np.array_equal(mask, other):
        faults.append(f"{name}: the same mask in two calls; its random numbers do not go on")
    return faults
