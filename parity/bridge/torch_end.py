"""The PyTorch end of the bridge: a model's structure, and its weights in canonical form.

Canonical names are those of `state_dict()`. A tensor that several names share appears once, under
the first. Left out, and said so in `Structure.left_out`:

- buffers that are not persistent: they are constants of the construction, not state;
- `num_batches_tracked` of a batch norm with a momentum: a counter that enters no number. With
  `momentum=None` (cumulative average) it does, and stays in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import nn

from parity.bridge.errors import LoadError, check_names
from parity.bridge.structure import (
    ModuleSpec,
    Role,
    Structure,
    TensorSpec,
    kind_of,
    plain_settings,
)

_COUNTER = "a counter that enters no number while momentum is set"
_CONSTANT = "a buffer that is not persistent: a constant of the construction"


def describe(model: nn.Module) -> Structure:
    """Every module with its settings and tensors; shared modules once, with their aliases.

    Raises LoadError for lazy layers that have no shape yet.
    """
    paths: dict[int, list[str]] = {}
    modules: dict[int, nn.Module] = {}
    for path, module in model.named_modules(remove_duplicate=False):
        paths.setdefault(id(module), []).append(path)
        modules[id(module)] = module
    left_out: dict[str, str] = {}
    first_names: dict[int, str] = {}
    specs = []
    for key, module in modules.items():
        path, *aliases = paths[key]
        tensors = []
        for name, tensor, role in _own_tensors(module):
            full = f"{path}.{name}" if path else name
            if reason := _reason_to_leave_out(module, name):
                left_out[full] = reason
                continue
            if nn.parameter.is_lazy(tensor):
                raise LoadError(f"{full} has no shape yet: run the model once before")
            shared_with = first_names.setdefault(id(tensor), full)
            dtype = str(tensor.dtype).removeprefix("torch.")
            shared_with = "" if shared_with == full else shared_with
            tensors.append(TensorSpec(name, tuple(tensor.shape), dtype, role, shared_with))
        specs.append(
            ModuleSpec(
                path=path,
                kind=kind_of(type(module)),
                bases=tuple(kind_of(c) for c in _bases(type(module))),
                settings=_settings(module),
                tensors=tuple(tensors),
                aliases=tuple(aliases),
            )
        )
    return Structure("torch", tuple(specs), left_out)


def export(model: nn.Module) -> dict[str, np.ndarray]:
    """The weights and buffers in canonical form: copies on the host, in the model's dtypes.

    Raises LoadError for bfloat16, which numpy does not have.
    """
    return {name: _host(name, tensor) for name, tensor in _tensors(model).items()}


def load(model: nn.Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Put weights in canonical form into the model, in place; the tensors take the arrays' dtypes.

    The names must be those of `export`. What `describe` leaves out, and the second names of
    shared tensors, may be there too, as in a `state_dict()`: they are loaded, or must be equal.

    Raises LoadError for missing or unexpected names, other shapes, or two values for one tensor.
    """
    tensors = _tensors(model)
    state = dict(model.state_dict(keep_vars=True))
    extra = {name for name in set(arrays) - set(tensors) if name in state}
    check_names("the PyTorch model", tensors, set(arrays) - extra)
    names = {id(tensor): name for name, tensor in tensors.items()}
    for name in sorted(extra):
        first = names.get(id(state[name]))
        if first and not np.array_equal(arrays[name], arrays[first], equal_nan=True):
            raise LoadError(f"{name} and {first} are one tensor, and the arrays give it two values")
    for name in arrays:
        shape, found = tuple(state[name].shape), arrays[name].shape
        if shape != found:
            raise LoadError(f"{name}: expected shape {shape}, found {found}")
    for name in [*tensors, *sorted(extra)]:
        # np.array copies: torch.from_numpy goes on using the caller's memory.
        state[name].data = torch.from_numpy(np.array(arrays[name])).to(state[name].device)


def _tensors(model: nn.Module) -> dict[str, torch.Tensor]:
    """What crosses the bridge, by canonical name; a shared tensor under its first name."""
    state = model.state_dict(keep_vars=True)
    return {name: state[name] for name, _ in describe(model).tensors()}


def _own_tensors(module: nn.Module) -> Iterator[tuple[str, torch.Tensor, Role]]:
    for name, parameter in module.named_parameters(recurse=False, remove_duplicate=False):
        yield name, parameter, "parameter"
    for name, buffer in module.named_buffers(recurse=False, remove_duplicate=False):
        yield name, buffer, "buffer"


def _reason_to_leave_out(module: nn.Module, name: str) -> str:
    if name in module._non_persistent_buffers_set:
        return _CONSTANT
    counts = name == "num_batches_tracked" and isinstance(module, nn.modules.batchnorm._NormBase)
    return _COUNTER if counts and module.momentum is not None else ""


def _settings(module: nn.Module) -> dict[str, object]:
    settings = plain_settings(vars(module))
    settings.pop("training", None)  # a mode, not a setting
    return settings


def _bases(cls: type) -> list[type]:
    return [c for c in cls.__mro__[1:] if issubclass(c, nn.Module) and c is not nn.Module]


def _host(name: str, tensor: torch.Tensor) -> np.ndarray:
    if tensor.dtype == torch.bfloat16:
        raise LoadError(f"{name} is bfloat16, which numpy does not have: call model.float() before")
    return np.array(tensor.detach().cpu().numpy())  # a copy: .numpy() shares the memory
