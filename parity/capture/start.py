"""What both sides start from: batches, and weights on which no fault can hide. NumPy only.

All floats are rounded to float32, so that every lane starts from the same numbers.
"""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from parity.bridge.structure import Structure
from parity.capture.capture_file import Capture, digest
from parity.capture.leaves import leaves
from parity.capture.plan import FULL_BATCHES
from parity.pair import Pair, PairError
from parity.user_code import call

BATCH_PREFIXES = ("input/", "input.short/", "target/", "target.short/", "batch/")
"""Beginnings of the names of batches in a capture."""


def is_numpy(value: Any) -> bool:
    """Whether it is an array."""
    return isinstance(value, np.ndarray)


def batches(pair: Pair, seed: int) -> dict[str, tuple[Any, Any]]:
    """Inputs and targets by name: 'full', 'short', then '1' to '26', the trajectory's batches.

    Raises PairError where the pair's functions fail or return what is no batch.
    """
    sizes = {"full": pair.batch_size, "short": pair.short_batch_size}
    sizes |= {str(i): pair.batch_size for i in range(1, FULL_BATCHES + 1)}
    sizes[str(FULL_BATCHES + 1)] = pair.short_batch_size
    return {name: _batch(pair, seed, i, n) for i, (name, n) in enumerate(sizes.items())}


def batch_arrays(made: Mapping[str, tuple[Any, Any]]) -> dict[str, np.ndarray]:
    """The batches as a capture names them."""
    arrays: dict[str, np.ndarray] = {}
    for name, (inputs, targets) in made.items():
        for what, value in (("input", inputs), ("target", targets)):
            found = leaves(value, is_numpy)
            arrays |= {f"{_prefix(name, what)}/{leaf}": a for leaf, a in found.items()}
    return arrays


def stirred(weights: Mapping[str, np.ndarray], structure: Structure, seed: int) -> dict[str, Any]:
    """The weights with every constant tensor moved off its constant: float32.

    A bias of zeros, a scale of ones or fresh running statistics would hide what is done with them.
    """
    roles = {name: spec.role for name, spec in structure.tensors()}
    return {name: _stirred(name, array, roles[name], seed) for name, array in weights.items()}


def projection(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Fixed random numbers that an output is multiplied with where a pair has no loss: float32."""
    return _rounded(_generator(seed, 2, name).normal(size=shape))


def start_digest(arrays: Mapping[str, np.ndarray]) -> str:
    """The digest of the `weight/`, `input/` and `target/` arrays, the same in every lane."""
    prefixes = ("weight/", *BATCH_PREFIXES)
    return digest({n: _rounded(arrays[n]) for n in arrays if n.startswith(prefixes)})


def batches_of_capture(capture: Capture) -> dict[str, tuple[Any, Any]]:
    """What `batches` made, by the same names."""
    names = ["full", "short", *(str(i) for i in range(1, FULL_BATCHES + 2))]
    return {name: batch_of_capture(capture, name) for name in names}


def batch_of_capture(capture: Capture, name: str) -> tuple[Any, Any]:
    """The inputs and targets that `batch_arrays` named, nested as the pair made them."""
    inputs, targets = (capture.under(_prefix(name, what)) for what in ("input", "target"))
    return _nested(inputs), _nested(targets)


def _prefix(name: str, what: str) -> str:
    return {"full": what, "short": f"{what}.short"}.get(name, f"batch/{name}/{what}")


def _nested(flat: Mapping[str, np.ndarray]) -> Any:
    """An array for leaf '0' alone, else a tuple for numbered leaves or a dict for named ones.

    A tuple of one array comes back as the array: a call is the same.
    """
    if not flat:
        return None
    if list(flat) == ["0"]:
        return flat["0"]
    parts: dict[str, dict[str, np.ndarray]] = {}
    for name, array in flat.items():
        head, _, rest = name.partition(".")
        parts.setdefault(head, {})[rest] = array
    values = {key: part[""] if "" in part else _rebuilt(part) for key, part in parts.items()}
    return tuple(values.values()) if all(key.isdigit() for key in values) else values


def _rebuilt(part: Mapping[str, np.ndarray]) -> Any:
    value = _nested(part)
    return (value,) if isinstance(value, np.ndarray) else value


def cast(value: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Floats in the lane's precision; everything else as it is."""
    return value.astype(dtype) if value.dtype.kind == "f" else value


def moved_by_an_ulp(array: np.ndarray, name: str, run: int) -> np.ndarray:
    """Each float moved to its neighbour, up or down at random; zeros stay."""
    if array.dtype.kind != "f":
        return array
    up = _generator(run, 3, name).random(array.shape) < 0.5
    moved = np.nextafter(array, np.where(up, np.inf, -np.inf).astype(array.dtype))
    return np.where((array == 0) | ~np.isfinite(array), array, moved)


def _batch(pair: Pair, seed: int, index: int, n: int) -> tuple[Any, Any]:
    inputs = _checked("inputs", call(pair, "inputs", pair.inputs, _generator(seed, 0, index), n))
    if not leaves(inputs, is_numpy):
        raise PairError(f"inputs: found {inputs!r}, which holds no array; expected NumPy arrays")
    if pair.targets is None:
        return inputs, None
    given = (inputs,) if len(inspect.signature(pair.targets).parameters) > 2 else ()
    targets = call(pair, "targets", pair.targets, _generator(seed, 1, index), n, *given)
    return inputs, _checked("targets", targets)


def _checked(what: str, value: Any) -> Any:
    """Floats rounded to float32, the rest as it is; refuses what holds no arrays."""
    if isinstance(value, dict):
        return {key: _checked(what, item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return tuple(_checked(what, item) for item in value)
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise PairError(
            f"{what}: found {type(value).__name__} ({array.dtype}), expected NumPy arrays of "
            "floats, integers or booleans, or tuples or dicts of them"
        )
    return _rounded(array)


def _stirred(name: str, array: np.ndarray, role: str, seed: int) -> np.ndarray:
    array = np.asarray(array)
    if array.dtype.kind != "f" or array.size == 0 or (array != array.flat[0]).any():
        return _rounded(array)
    generator = _generator(seed, 4, name)
    if name.endswith("running_var"):
        return _rounded(generator.uniform(0.5, 1.5, array.shape))
    if role == "buffer" and not name.endswith("running_mean"):
        return _rounded(array)
    spread = max(0.2 * abs(float(array.flat[0])), 0.05)
    return _rounded(array + spread * generator.uniform(-1, 1, array.shape))


def _rounded(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32) if array.dtype.kind == "f" else np.array(array)


def _generator(seed: int, purpose: int, name: str | int) -> np.random.Generator:
    key = name if isinstance(name, int) else zlib.crc32(name.encode())
    return np.random.default_rng((seed, purpose, key))
