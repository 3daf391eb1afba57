"""Reads and writes files of weights: `.safetensors`, and PyTorch's `.pt` and `.pth`.

Arrays keep their bits and dtypes, bfloat16 and float8 too, as NumPy arrays of ml_dtypes' kinds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ml_dtypes  # noqa: F401  np.dtype("bfloat16") is known once this is imported
import numpy as np

from experiment.errors import UserError
from experiment.storage import write_atomically

if TYPE_CHECKING:
    import torch

_INSIDE = ("state_dict", "model")
"""Where checkpoints keep their state_dict."""


class WeightFileError(UserError):
    """A file of weights that is missing, truncated, foreign, or cannot be written."""


def read_weight_file(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file by name; copies on the host.

    `.pt` and `.pth` are read with `weights_only=True`, so nothing in them runs: they hold a
    `state_dict`, or a dict with one under 'state_dict' or 'model'. Raises `WeightFileError`.
    """
    if not path.is_file():
        found = "no file" if path.exists() else "no such file"
        raise WeightFileError(f"{path}: {found}; expected a .safetensors, .pt or .pth file")
    if path.suffix == ".safetensors":
        tensors = _safetensors(path)
    elif path.suffix in (".pt", ".pth"):
        tensors = _state_dict(path)
    else:
        raise WeightFileError(
            f"{path}: found ending {path.suffix!r}, expected .safetensors, .pt or .pth"
        )
    return {name: to_numpy(tensor) for name, tensor in tensors.items()}


def write_weight_file(
    path: Path, arrays: Mapping[str, np.ndarray], about: Mapping[str, str]
) -> None:
    """Write arrays as `.safetensors`, whole or not at all; `about` is its metadata, as JSON.

    Raises `WeightFileError`.
    """
    from safetensors.torch import save

    tensors = {name: _to_torch(array) for name, array in arrays.items()}
    try:
        # One key: safetensors writes several in an order that changes from call to call.
        write_atomically(path, save(tensors, metadata={"about": json.dumps(about)}))
    except OSError as error:
        raise WeightFileError(f"{path}: cannot be written: {error.strerror or error}") from error


def to_numpy(tensor: torch.Tensor) -> np.ndarray:
    """A copy on the host with the tensor's bits and dtype."""
    import torch

    tensor = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous()
    name = str(tensor.dtype).removeprefix("torch.")
    if name.startswith(("bfloat", "float8")):  # NumPy has them from ml_dtypes: the bits only
        bits = torch.uint8 if tensor.itemsize == 1 else torch.int16
        return np.array(tensor.view(bits).numpy()).view(np.dtype(name))
    return np.array(tensor.numpy())


def _safetensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path, device="cpu")
    except (OSError, SafetensorError) as error:
        raise WeightFileError(f"{path}: cannot be read as safetensors: {error}") from error


def _state_dict(path: Path) -> dict[str, torch.Tensor]:
    import torch

    try:
        content = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:  # torch.load has no class of its own for what a file can be
        reason = str(error).strip().partition("\n")[0]
        raise WeightFileError(
            f"{path}: cannot be read as PyTorch weights ({type(error).__name__}: {reason}); "
            "expected what torch.save(model.state_dict(), path) wrote: anything else would have "
            "to be unpickled, which runs what the file says"
        ) from error
    for key in _INSIDE:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
            break
    wrong = _no_tensors(content)
    if wrong:
        raise WeightFileError(
            f"{path}: expected a state_dict, names and tensors only, by itself or under "
            f"{' or '.join(map(repr, _INSIDE))}; found {wrong}"
        )
    return dict(content)


def _no_tensors(content: Any) -> str:
    """What a state_dict does not have."""
    import torch

    if not isinstance(content, dict):
        return type(content).__name__
    others = {k: v for k, v in content.items() if not isinstance(v, torch.Tensor)}
    return ", ".join(f"{key!r}: {type(value).__name__}" for key, value in others.items())


def _to_torch(array: np.ndarray) -> torch.Tensor:
    import torch

    array = np.array(array, order="C")
    name = array.dtype.name
    if name.startswith(("bfloat", "float8")):
        bits = np.uint8 if array.itemsize == 1 else np.int16
        return torch.from_numpy(array.view(bits)).view(getattr(torch, name))
    return torch.from_numpy(array)
