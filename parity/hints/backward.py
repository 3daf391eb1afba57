"""Backward passes that agree almost everywhere: at ties and at zero."""

from __future__ import annotations

import numpy as np

from parity.hints.arrays import match
from parity.stages.case import Case
from parity.verdict import Departure, Hint


def pooling_ties(case: Case, departure: Departure) -> Hint | None:
    """27: a max-pooling that shares the gradient among equal maxima."""
    found = _cotangents(case, departure)
    if found is None or found[0].ndim < 3 or departure.place == "tensor":
        return None
    reference, port, _ = found
    pooled = _pooled_after(case, departure)
    spread = int(((port != 0) & (reference == 0)).sum())
    lowered = int(((port != 0) & (np.abs(port) < np.abs(reference))).sum())
    if not pooled or not spread or not lowered:
        return None
    text = (
        f"the port has a gradient in {spread} places where the reference has none, and less in "
        f"others, before {pooled}: a max-pooling that splits ties; PyTorch gives all to the first"
    )
    return Hint(bug=27, text=text)


def slope_at_zero(case: Case, departure: Departure) -> Hint | None:
    """26: `jnp.maximum(x, 0)`, whose slope at 0 is a half, for a ReLU."""
    found = _cotangents(case, departure)
    if found is None or found[2] is None:
        return None
    reference, port, values = found
    apart = np.abs(port - reference) > match(case) * np.abs(reference).max(initial=0.0)
    if not apart.any() or values.shape != apart.shape or (values[apart] != 0).any():
        return None
    text = (
        f"it differs only where the value is exactly 0 ({int(apart.sum())} places): the slope of "
        "jnp.maximum(x, 0) is 0.5 there, a ReLU's is 0"
    )
    return Hint(bug=26, text=text)


def _cotangents(
    case: Case, departure: Departure
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """The departing cotangent on both sides, and the value that it belongs to."""
    row = departure.row
    if row is None or not row.name.startswith("cotangent/"):
        return None
    reference, port = case.truth.get(row.name), case.port.get(row.name)
    values = case.truth.get(row.name.replace("cotangent/", "train/exit/", 1))
    if reference is None or port is None or values is None or reference.shape != port.shape:
        return None
    return reference, port, values


def _pooled_after(case: Case, departure: Departure) -> str:
    """What makes pictures smaller after the layer: a pooling module, or code before a layer."""
    row, events = departure.row, case.events("train")
    assert row is not None
    place = f"train/exit/{row.layer}#{row.call}/"
    start = next(
        (i for i, e in enumerate(events) if any(n.startswith(place) for n in e.names("train"))),
        None,
    )
    if start is None:
        return ""
    for event in events[start + 1 :]:
        if event.kind == "enter" and "Pool" in case.layers.get(event.layer, ""):
            return event.layer
        shapes = [case.truth[n].shape for n in event.names("train") if n in case.truth]
        smaller = [s for s in shapes if int(np.prod(s)) < int(np.prod(row.shape))]
        if event.kind == "enter" and smaller:
            return event.layer
        if event.kind == "exit" and smaller:
            return ""  # that layer makes it smaller, and it is no pooling
    return "the output"
