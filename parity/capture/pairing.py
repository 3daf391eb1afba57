"""Which of the port's layers is which of the reference's, parameters or not. NumPy only.

Layers with parameters are matched by the bridge. What has none (blocks, activations, dropout) is
the same layer where the paths agree after the renames; nothing else is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parity.bridge.mapping import Mapping as Bridge
from parity.bridge.places import port_places, reference_places
from parity.bridge.structure import Structure
from parity.pair import Pair, PairError

_DROPOUTS = ("torch.nn.Dropout", "torch.nn.Dropout1d", "torch.nn.Dropout2d", "torch.nn.Dropout3d")


def canonical_paths(
    reference: Structure, port: Structure, pair: Pair, bridge: Bridge
) -> dict[str, str]:
    """The port's path -> the reference's, of every layer that is on both sides; '' is the model."""
    waived = [waiver.name for waiver in pair.waivers]
    ours = reference_places(reference, waived)
    found = {}
    for place in port_places(port, waived, pair.renames).all:
        if there := next((ours.at[path] for path in place.paths if path in ours.at), None):
            found[place.module.path] = there.module.path
    matched = {theirs: own for own, theirs in bridge.modules.items()}
    # What the bridge took for another layer's is no longer free.
    taken = set(matched.values())
    found = {theirs: own for theirs, own in found.items() if own not in taken}
    return found | matched


def dropout_places(
    reference: Structure, port: Structure, paths: Mapping[str, str], pair: Pair
) -> dict[str, str]:
    """The port's dropout layers -> the reference's.

    Raises `PairError` where they are not on the same paths: their masks could not be shared.
    """
    # Not their subclasses: what those do is what is to be compared.
    ours = [m.path for m in reference.modules if m.kind in _DROPOUTS]
    theirs = [m for m in port.modules if m.kind == "flax.nnx.Dropout"]
    lost = [m.path for m in theirs if paths.get(m.path) not in ours and m.settings.get("rate")]
    if lost:
        free = sorted(set(ours) - {paths.get(m.path) for m in theirs})
        raise PairError(
            f"pair {pair.name!r}: dropout layers of the port are on no path of a dropout layer of "
            f"the reference, so the two cannot take the same masks\n"
            f"  port: {', '.join(lost)}\n"
            f"  reference, without counterpart: {', '.join(free) or 'none'}\n"
            "rename the port's paths (Pair.renames)"
        )
    return {m.path: paths[m.path] for m in theirs if paths.get(m.path) in ours}


def kinds(structure: Structure) -> dict[str, str]:
    """The class of every layer that layouts are told by: the nearest that is PyTorch's own."""
    found: dict[str, str] = {}
    for module in structure.modules:
        own = next((k for k in module.kinds if k.startswith("torch.nn.")), module.kind)
        found |= dict.fromkeys((module.path, *module.aliases), own)
    return found


def without_counterpart(
    timeline: Mapping[str, list[list[Any]]],
    paths: Mapping[str, str],
    called: Mapping[str, set[str]],
    traced: set[str],
) -> dict[str, str]:
    """Layers, or calls, of the reference whose activations the port does not have, and why.

    `called` has the port's places ('PATH#CALL', the reference's paths) of each pass, `traced` the
    reference's paths of what runs inside a compiled loop.
    """
    there = set(paths.values())
    found: dict[str, str] = {}
    for name, events in timeline.items():
        for kind, path, call, *_ in events:
            if kind != "enter":
                continue
            if path not in there:
                found[path] = "the port has no layer of that path"
            elif path in traced:
                found[path] = "in the port it runs inside a compiled loop"
            elif f"{path}#0" not in called[name]:
                found[path] = "the port does not call it as a layer, or only in a compiled loop"
            elif f"{path}#{call}" not in called[name]:
                found[f"{path}#{call}"] = "the port calls it less often"
    return found
