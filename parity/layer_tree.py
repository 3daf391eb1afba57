"""The layers of a model around a culprit, as lines of a screen. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence

from parity.timeline import is_inside
from parity.verdict import Departure, Layer

NEAR = 4
"""Layers shown before and after the culprit on each level; the others are counted."""


def layer_tree(layers: Sequence[Layer], departure: Departure) -> list[str]:
    """The culprit and what surrounds it, on each level down to it; the culprit marked.

    Containers beside the way are shown closed, and so is the culprit, if it is one.
    """
    # The port may call a layer twice by one path, the reference holds one under several: once each.
    known = {layer.path: layer for layer in layers if layer.path}
    return _level(list(known.values()), "", departure, 1)


def _level(layers: list[Layer], container: str, departure: Departure, depth: int) -> list[str]:
    here = [layer for layer in layers if _parent(layer.path, layers) == container]
    on_way = [
        i for i, layer in enumerate(here)
        if departure.layer == layer.path or is_inside(departure.layer, layer.path)
    ]  # fmt: skip
    middle = on_way[0] if on_way else 0
    first, last = max(0, middle - NEAR), min(len(here), middle + NEAR + 1)
    # One line is no longer than the words that would stand for it.
    first, last = (0 if first == 1 else first), (len(here) if last == len(here) - 1 else last)
    indent = "  " * depth
    lines = [f"{indent}... {first} before"] if first else []
    for i in range(first, last):
        lines.append(f"{indent}{_line(here[i], container, departure)}")
        if i in on_way and here[i].path != departure.layer:
            lines += _level(layers, here[i].path, departure, depth + 1)
    return [*lines, f"{indent}... {len(here) - last} after"] if last < len(here) else lines


def _parent(path: str, layers: list[Layer]) -> str:
    """The nearest layer that holds it; '' for the model: a list of layers is no layer itself."""
    paths = {layer.path for layer in layers}
    while path := path.rpartition(".")[0]:
        if path in paths:
            return path
    return ""


def _line(layer: Layer, container: str, departure: Departure) -> str:
    name = layer.path.removeprefix(f"{container}.") if container else layer.path
    kind = layer.kind.rpartition(".")[2]
    port = f"  = {layer.port_path}" if layer.port_path else ""
    here = "   <<< HERE" if layer.path == departure.layer else ""
    if here and departure.place == "between":
        here = f"   <<< HERE, {'before it' if departure.after != layer.path else 'after it'}"
    return f"{name} ({kind}){port}{here}"
