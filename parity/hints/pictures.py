"""Axes in another order: flattened pictures, height and width, channels; and loaders."""

from __future__ import annotations

import numpy as np

from parity.hints.arrays import match, same, shown
from parity.stages.case import Case
from parity.verdict import Departure, Hint

_LOADER = (("last batch dropped", 53), ("another order", 53), ("the order of the epoch", 53),
           ("256", 54), ("not divided", 54), ("BGR", 54), ("float16", 54), ("targets are", 54),
           ("normalised", 55))  # fmt: skip


def flattened_channels_last(reference: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """(n, C*H*W) in the order C, H, W -> the same numbers in the order H, W, C."""
    return reference.reshape(-1, *shape).transpose(0, 2, 3, 1).reshape(reference.shape)


def flatten_order(case: Case, departure: Departure) -> Hint | None:
    """9: pictures flattened as (H, W, C), and the Linear's columns as (C, H, W)."""
    found = shown(case, departure)
    if found is None or departure.row is None:
        return None
    _, port = found
    given = _given(case, departure)
    if given is None or given.ndim != 2:
        return None
    for layer, shape in _pictures_before(case, departure):
        if int(np.prod(shape)) != given.shape[1] or shape[1:] == (1, 1):
            continue
        moved = flattened_channels_last(given, shape)
        expected = moved if "/enter/" in departure.row.name else _linear(case, departure, moved)
        if expected is not None and same(expected, port, match(case)):
            text = (
                f"{departure.layer} differs and {layer} agrees, and permuting C-H-W to H-W-C "
                f"(of a picture {shape[0]} x {shape[1]} x {shape[2]}) would make it agree: flatten "
                "order. Transpose to channels first before flattening, or have the columns of its "
                f"weight permuted: Pair(flattens=(Flatten('{departure.layer}', {shape}),))"
            )
            return Hint(bug=9, text=text)
    return None


def height_and_width(case: Case, departure: Departure) -> Hint | None:
    """8: height and width swapped in a picture."""
    found = shown(case, departure)
    if (
        found is None
        or found[0].ndim != 4
        or not same(found[0].swapaxes(2, 3), found[1], match(case))
    ):
        return None
    return Hint(
        bug=8, text="swapping height and width makes it agree: they are swapped in one side"
    )


def channel_order(case: Case, departure: Departure) -> Hint | None:
    """54: channels reversed (BGR)."""
    found = shown(case, departure)
    if found is None or found[0].ndim < 3 or found[0].shape[1] < 2:
        return None
    if not same(found[0][:, ::-1], found[1], match(case)):
        return None
    return Hint(bug=54, text="reversing the channels makes it agree: BGR instead of RGB")


def loader(case: Case, departure: Departure) -> Hint | None:
    """53 to 55: what the stage data recognised."""
    bug = next((number for words, number in _LOADER if words in departure.text), None)
    return Hint(bug=bug, text=departure.text.rpartition("; ")[2]) if bug else None


def _given(case: Case, departure: Departure) -> np.ndarray | None:
    """What the departing layer was given by the oracle."""
    assert departure.row is not None
    name = departure.row.name
    if "/exit/" in name:
        start = name.replace("/exit/", "/enter/").rpartition("/")[0]
        names = case.names(start)
        name = names[0] if names else ""
    array = case.truth.get(name)
    return None if array is None else array.astype(np.float64)


def _pictures_before(case: Case, departure: Departure) -> list[tuple[str, tuple[int, int, int]]]:
    """Layers that returned pictures before the departing event, and their (C, H, W), last first."""
    assert departure.row is not None
    run = departure.row.run
    found: list[tuple[str, tuple[int, int, int]]] = []
    for event in case.events(run):
        names = event.names(run)
        if departure.row.name in names:
            break
        for name in names:
            array = case.truth.get(name)
            if event.kind == "exit" and array is not None and array.ndim == 4:
                _, c, h, w = array.shape
                found.append((event.layer, (c, h, w)))
    last = dict.fromkeys(reversed(found))
    # A pooling between is no module, maybe: halves of the last picture, too.
    halves = [(layer, (c, h // 2, w // 2)) for layer, (c, h, w) in last]
    return [*last, *halves]


def _linear(case: Case, departure: Departure, given: np.ndarray) -> np.ndarray | None:
    """What the departing Linear makes of an input."""
    weight = case.truth.get(f"weight/{departure.layer}.weight")
    if weight is None or weight.ndim != 2 or weight.shape[1] != given.shape[1]:
        return None
    bias = case.truth.get(f"weight/{departure.layer}.bias", 0.0)
    return given @ weight.T.astype(np.float64) + bias
