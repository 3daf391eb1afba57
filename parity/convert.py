"""python -m parity convert FILE --pair PAIR --to flax|torch: weights from one side to the other.

It builds both models of the pair in one process, for their names and layouts; it compares nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiment.errors import UserError
from parity.bridge.errors import LoadError
from parity.bridge.structure import Structure
from parity.pair import Pair, PairError
from parity.pair_file import load_pair
from parity.user_code import call
from parity.weight_file import read_weight_file, to_numpy, write_weight_file

if TYPE_CHECKING:
    from parity.bridge.mapping import Mapping as Bridge


class ConvertError(UserError):
    """A file that cannot be converted in this direction, or a place that it cannot go to."""


def convert(
    file: Path, spec: str, to: str, out: Path | None, report: Callable[[str], None] = print
) -> Path:
    """Convert weights; returns the file written, `out` or FILE's stem + '.flax.safetensors'.

    To 'flax': PyTorch's state_dict names and layouts become NNX's paths ('conv1/kernel') and
    layouts; to 'torch': back, as a state_dict that `load_state_dict` takes. Dtypes and bits stay.
    `report` is given the map's table and what was left out. Raises `ConvertError`,
    `WeightFileError`, a `BridgeError`, `PairFileError` or `PairError`.
    """
    if to not in ("flax", "torch"):
        raise ConvertError(f"--to: found {to!r}, expected flax or torch")
    out = _out(file, to, out)
    arrays = read_weight_file(file)
    pair = load_pair(spec)
    sides = _build(pair)
    _check_direction(file, arrays, sides, to)
    report(sides.bridge.table())
    try:
        converted = (_to_flax if to == "flax" else _to_torch)(file, arrays, sides, report)
    except LoadError as error:
        raise ConvertError(f"{file}: {error}") from error
    about = {"pair": pair.name, "to": to, "from": file.name}
    write_weight_file(out, converted, about)
    report(f"{len(converted)} tensors written to {out}")
    return out


@dataclass(frozen=True)
class _Sides:
    """Both models as data, the map between them, and the reference's state_dict."""

    reference: Structure
    port: Structure
    bridge: Bridge
    state: Mapping[str, np.ndarray]
    """Of a fresh reference, under all of its names."""
    first_names: Mapping[str, str]
    """Another name of a shared tensor -> its first one."""


def _build(pair: Pair) -> _Sides:
    import torch
    from flax import nnx

    from parity.bridge import flax_end, torch_end
    from parity.bridge.matching import match

    torch.manual_seed(0)
    reference = _model(pair, "reference", torch.nn.Module)
    port = _model(pair, "port", nnx.Module)
    ours, theirs = torch_end.describe(reference), flax_end.describe(port)
    bridge = match(ours, theirs, pair.renames, pair.rules, pair.flattens, pair.waivers)
    kept = reference.state_dict(keep_vars=True)
    names: dict[int, str] = {id(kept[name]): name for name, _ in ours.tensors() if name in kept}
    others = {n: names[id(t)] for n, t in kept.items() if names.get(id(t), n) != n}
    state = {name: to_numpy(tensor) for name, tensor in kept.items()}
    return _Sides(ours, theirs, bridge, state, others)


def _model(pair: Pair, role: str, kind: type) -> Any:
    model = call(pair, role, getattr(pair, role), 0)
    if not isinstance(model, kind):
        raise PairError(
            f"pair {pair.name!r}: {role} returned {type(model).__name__}, expected a "
            f"{kind.__module__.partition('.')[0]} {kind.__name__}"
        )
    return model


def _to_flax(
    file: Path, arrays: Mapping[str, np.ndarray], sides: _Sides, report: Callable[[str], None]
) -> dict[str, np.ndarray]:
    given = dict(arrays)
    for name in sorted(set(arrays) & set(sides.first_names)):
        first = sides.first_names[name]
        if first in arrays and arrays[first].tobytes() != arrays[name].tobytes():
            raise ConvertError(
                f"{file}: {name} and {first} are one tensor in the reference, and the file gives "
                "it two values"
            )
        given.setdefault(first, arrays[name])
        del given[name]
    for name in sorted(set(given) & set(sides.reference.left_out)):
        del given[name]
        report(f"not in the output: {name}")
    return sides.bridge.to_flax(given)


def _to_torch(
    file: Path, arrays: Mapping[str, np.ndarray], sides: _Sides, report: Callable[[str], None]
) -> dict[str, np.ndarray]:
    if sides.bridge.lossy:
        raise ConvertError(
            f"{file}: cannot become PyTorch's again, as these layers of the port hold less than "
            "the reference's:\n  "
            + "\n  ".join(f"{path}: {what}" for path, what in sides.bridge.lossy.items())
            + "\na layer of parity.layers in their place holds all of it"
        )
    given = {name: a for name, a in arrays.items() if name not in sides.port.left_out}
    converted = sides.bridge.to_canonical(given)
    for name, first in sides.first_names.items():
        converted[name] = converted[first]
    for name in sides.state.keys() - converted.keys():
        # load_state_dict misses what no number depends on, too.
        if name in sides.reference.left_out:
            converted[name] = sides.state[name]
            report(f"as in a new reference: {name}")
        else:
            report(f"not in the output, as the pair waives it: {name}")
    return {name: converted[name] for name in sides.state if name in converted}


def _check_direction(file: Path, arrays: Mapping[str, Any], sides: _Sides, to: str) -> None:
    """Refuse a file that already is what it should become, in words rather than in two lists."""
    flax, torch = ({name for name, _ in s.tensors()} for s in (sides.port, sides.reference))
    there, here = (flax, torch) if to == "flax" else (torch, flax)
    if set(arrays) & there - here and not set(arrays) & here:
        other = "torch" if to == "flax" else "flax"
        raise ConvertError(
            f"{file}: its names are {to}'s already ({min(arrays)}...); to go the other way, say "
            f"--to {other}"
        )


def _out(file: Path, to: str, out: Path | None) -> Path:
    out = out or file.with_name(f"{file.stem}.{to}.safetensors")
    if out.resolve() == file.resolve():
        raise ConvertError(f"--out: {out} is the input, which stays as it is; name another file")
    if out.suffix != ".safetensors":
        raise ConvertError(f"--out: found {out.name}, expected a name that ends in .safetensors")
    if not out.parent.is_dir():
        raise ConvertError(f"--out: there is no folder {out.parent}; make it before")
    return out
