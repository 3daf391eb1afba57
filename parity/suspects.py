"""Settings that the two sides of a matched layer spell with different values. NumPy only.

A suspect is no fault: where the difference changes a number, a later stage departs at that layer
and names it as the cause; where it changes none, it is only listed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from parity.bridge.structure import Structure
from parity.capture.capture_file import Capture
from parity.verdict import Suspect

_SPELLINGS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("eps", ("eps",), ("epsilon", "eps")),
    ("momentum", ("momentum",), ("momentum",)),
    ("stride", ("stride",), ("strides", "stride")),
    ("padding", ("padding",), ("padding",)),
    ("padding_mode", ("padding_mode",), ("padding_mode",)),
    ("dilation", ("dilation",), ("kernel_dilation", "dilation")),
    ("groups", ("groups",), ("feature_group_count", "groups")),
    ("output_padding", ("output_padding",), ("output_padding",)),
    ("groups of channels", ("num_groups",), ("num_groups",)),
    ("negative_slope", ("negative_slope",), ("negative_slope",)),
    ("rate of dropout", ("p",), ("rate", "p")),
    ("approximate", ("approximate",), ("approximate",)),
    ("ceil_mode", ("ceil_mode",), ("ceil_mode",)),
    ("count_include_pad", ("count_include_pad",), ("count_include_pad",)),
    ("align_corners", ("align_corners",), ("align_corners",)),
    ("antialias", ("antialias",), ("antialias",)),
    ("heads", ("num_heads",), ("num_heads",)),
    ("batch_first", ("batch_first",), ("batch_first",)),
    ("bidirectional", ("bidirectional",), ("bidirectional",)),
    ("kernel_size", ("kernel_size",), ("kernel_size",)),
)
"""What a setting means, and how the reference and the port spell it."""

_BUGS = {
    "momentum": 18, "stride": 10, "padding": 10, "padding_mode": 16, "dilation": 15, "groups": 15,
    "negative_slope": 25, "approximate": 24, "count_include_pad": 12, "align_corners": 29,
    "antialias": 28,
}  # fmt: skip


def find_suspects(reference: Capture, port: Capture) -> tuple[Suspect, ...]:
    """Every setting that differs between matched layers, in the order of the reference's layers."""
    ours, theirs = structure_of(reference), structure_of(port)
    if ours is None or theirs is None:
        return ()
    there = {module.path: module for module in theirs.modules}
    matched = port.about.get("modules", {})
    suspects = []
    for module in ours.modules:
        other = there.get(matched.get(module.path))
        if other is not None:
            pairs = _differing(module.kinds, module.settings, other.kinds, other.settings)
            suspects += [
                Suspect(
                    layer=module.path,
                    port_layer=other.path,
                    setting=setting,
                    reference_value=str(one),
                    port_value=str(two),
                    bug=_bug(setting, module.kind),
                )
                for setting, one, two in pairs
            ]
    return tuple(suspects)


def structure_of(capture: Capture) -> Structure | None:
    """The model that a capture describes; None where it describes none."""
    found = capture.about.get("structure")
    if not found:
        return None
    return Structure.from_json(found if isinstance(found, str) else json.dumps(found))


def _differing(
    kinds: tuple[str, ...],
    ours: Mapping[str, Any],
    other_kinds: tuple[str, ...],
    theirs: Mapping[str, Any],
) -> list[tuple[str, Any, Any]]:
    found = []
    for meaning, names, other_names in _SPELLINGS:
        one = next((ours[name] for name in names if name in ours), None)
        two = next((theirs[name] for name in other_names if name in theirs), None)
        if one is None or two is None:
            continue
        if meaning == "padding" and _same_padding(kinds[0], ours, two):
            continue
        # flax.nnx.BatchNorm's momentum is the share that is kept, PyTorch's the share that is new.
        kept = meaning == "momentum" and "flax.nnx.BatchNorm" in other_kinds
        if _plain(meaning, one) != _plain(meaning, 1 - two if kept else two):
            found.append(
                (meaning, one, f"{two} (keeps {two}, so takes {1 - two:g})" if kept else two)
            )
    return found


def _same_padding(kind: str, ours: Mapping[str, Any], theirs: Any) -> bool:
    """Flax's word for a padding mode; and `lax`'s padding of a transposed convolution.

    PyTorch's p takes away from d (k - 1) rows of zeros on each side, lax's counts what is left:
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html
    """
    if isinstance(theirs, str) and theirs.lower() == ours.get("padding_mode"):
        return True
    if "ConvTranspose" not in kind or isinstance(theirs, str | int):
        return False
    numbers = (ours.get(key) for key in ("kernel_size", "dilation", "padding"))
    sizes, dilations, paddings = (n if isinstance(n, list | tuple) else [n] for n in numbers)
    if None in (*sizes, *dilations, *paddings) or len(theirs) != len(sizes):
        return False
    added = ours.get("output_padding") or 0
    added = added if isinstance(added, list | tuple) else [added] * len(sizes)
    expected = [
        [d * (k - 1) - p, d * (k - 1) - p + more]
        for k, d, p, more in zip(sizes, dilations, paddings, added, strict=True)
    ]
    sides = [list(side) if isinstance(side, list | tuple) else [side, side] for side in theirs]
    return sides == expected


def _plain(meaning: str, value: Any) -> Any:
    """Spellings of one thing, alike: 1 and (1, 1); 0 and 'VALID'; [(1, 1), (1, 1)] and 1."""
    if isinstance(value, str):
        value = value.lower()
        if meaning == "padding" and value == "valid":
            return 0
        return (
            {"none": False, "tanh": True}.get(value, value) if meaning == "approximate" else value
        )
    if isinstance(value, list | tuple):
        parts = [_plain(meaning, item) for item in value]
        return parts[0] if parts and all(part == parts[0] for part in parts) else parts
    if isinstance(value, float):
        return round(value, 12)
    return value


def _bug(setting: str, kind: str) -> int | None:
    if setting == "eps":
        return 17 if "BatchNorm" in kind else 23
    if setting in ("padding", "output_padding") and "ConvTranspose" in kind:
        return 14
    return _BUGS.get(setting)
