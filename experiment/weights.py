"""Weights in canonical form: PyTorch's state_dict names and layouts, in a safetensors file.

Canonical means OIHW kernels, (out, in) linear weights and the C-H-W order of flattened pictures.
Both frameworks write and read it, so either starts from the other's weights.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiment.errors import UserError
from experiment.storage import write_atomically


class WeightsError(UserError):
    """A weights file that does not fit the network."""


def write_weights(
    path: Path, arrays: Mapping[str, np.ndarray], about: Mapping[str, str | int]
) -> None:
    """Write float32 arrays in canonical form, whole or not at all. Raises `OSError`.

    `about` goes into the file's metadata, as JSON under the one key "about": safetensors writes
    several keys in an order that changes from call to call, and equal runs shall give equal files.
    """
    from safetensors.numpy import save

    # Without a C-contiguous array safetensors writes the transposed bytes under the given shape.
    tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    write_atomically(path, save(tensors, metadata={"about": json.dumps(about)}))


def read_weights(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Read float32 arrays with exactly the names and shapes of `shapes`.

    Raises `WeightsError` naming every tensor that is missing, extra, of another shape or dtype, or
    that holds NaN or Inf.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            names = set(file.keys())
            slices = {name: file.get_slice(name) for name in names}
            problems = {name: _header_problem(name, slices[name], shapes) for name in names}
            arrays = {name: file.get_tensor(name) for name in names if problems[name] is None}
    except (OSError, SafetensorError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise WeightsError(
            f"{path}: cannot be read as weights ({reason}); expected a .safetensors file such as "
            "the weights.safetensors of a run"
        ) from error
    problems |= {name: f"{name}: missing" for name in shapes.keys() - names}
    problems |= {name: _value_problem(name, array) for name, array in arrays.items()}
    found = sorted(problem for problem in problems.values() if problem is not None)
    if found:
        raise WeightsError(
            f"{path}: does not fit the network; expected {len(shapes)} float32 tensors in "
            "PyTorch's names and layouts\n  " + "\n  ".join(found)
        )
    return arrays


def weights_digest(arrays: Mapping[str, np.ndarray]) -> str:
    """sha256 over names, dtypes, shapes and bytes, independent of the order of the entries."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _header_problem(name: str, header: Any, shapes: Mapping[str, tuple[int, ...]]) -> str | None:
    shape, dtype = tuple(header.get_shape()), header.get_dtype()
    if name not in shapes:
        return f"{name}: not in the network"
    if shape != shapes[name]:
        return f"{name}: found shape {shape}, expected {shapes[name]}"
    if dtype != "F32":
        return f"{name}: found dtype {dtype}, expected F32 (float32)"
    return None


def _value_problem(name: str, array: np.ndarray) -> str | None:
    bad = int(np.count_nonzero(~np.isfinite(array)))
    return f"{name}: {bad} of {array.size} values are NaN or Inf" if bad else None
