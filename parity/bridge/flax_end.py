"""The Flax NNX end of the bridge: a model's structure, and its weights by path.

Names are paths joined by '/': 'layers/0/kernel'. `nnx.Param` is a parameter, any other
`nnx.Variable` (BatchStat, or a class of the model's own) a buffer. Left out, and said so in
`Structure.left_out`: random state, caches, intermediates, perturbations, and arrays that are no
`nnx.Variable`, which are constants of the construction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from parity.bridge.errors import LoadError, check_names
from parity.bridge.structure import (
    ModuleSpec,
    Role,
    Structure,
    TensorSpec,
    kind_of,
    plain_settings,
)

_NO_WEIGHTS = {
    nnx.RngState: "random state",
    nnx.Cache: "a cache",
    nnx.Intermediate: "an intermediate",
    nnx.Perturbation: "a perturbation",
}


def describe(model: nnx.Module) -> Structure:
    """Every module with its settings and variables; shared modules once, with their aliases."""
    walk = _Walk(model)
    specs = []
    for key, module in walk.modules.items():
        path, *aliases = walk.paths[key]
        specs.append(
            ModuleSpec(
                path=path,
                kind=kind_of(type(module)),
                bases=tuple(kind_of(c) for c in _bases(type(module))),
                settings=_settings(module),
                tensors=tuple(walk.tensors.get(key, ())),
                aliases=tuple(aliases),
            )
        )
    return Structure("flax", tuple(specs), walk.left_out)


def export(model: nnx.Module) -> dict[str, np.ndarray]:
    """The variables by path: copies on the host, in the model's dtypes and NNX's layouts."""
    return {name: np.array(v.get_value()) for name, v in _Walk(model).variables.items()}


def load(model: nnx.Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Put arrays into the model's variables, in place; the variables take the arrays' dtypes.

    Raises LoadError for missing or unexpected names, other shapes, or float64 while x64 is off.
    """
    variables = _Walk(model).variables
    check_names("the Flax model", variables, arrays)
    values = {}
    for name, variable in variables.items():
        array = arrays[name]
        if np.shape(variable.get_value()) != array.shape:
            shape = np.shape(variable.get_value())
            raise LoadError(f"{name}: expected shape {shape}, found {array.shape}")
        # jnp.array copies: jnp.asarray may go on using the caller's memory.
        values[name] = jnp.array(array)
        if values[name].dtype != array.dtype:
            raise LoadError(
                f"{name} is {array.dtype}, and JAX made it {values[name].dtype}: enable x64 first"
            )
    for name, value in values.items():
        variables[name].set_value(value)  # `variable[...] = value` keeps the old dtype


def modules(model: nnx.Module) -> dict[str, nnx.Module]:
    """Every module by its path, shared ones once under their first; the model itself is ''."""
    walk = _Walk(model)
    return {walk.paths[key][0]: module for key, module in walk.modules.items()}


class _Walk:
    """One pass over a model: its modules and variables, each once, by path."""

    def __init__(self, model: nnx.Module) -> None:
        self.modules: dict[int, nnx.Module] = {}
        self.paths: dict[int, list[str]] = {}
        self.tensors: dict[int, list[TensorSpec]] = {}
        self.variables: dict[str, nnx.Variable[Any]] = {}
        self.left_out: dict[str, str] = {}
        self._first = _first_paths(model)
        self._open: set[int] = set()
        self._visit(model, (), None, "")

    def _visit(self, node: Any, path: tuple[str, ...], owner: int | None, name: str) -> None:
        joined = "/".join(path)
        if isinstance(node, nnx.Module):
            if id(node) in self._open:  # a module that refers back to one around it
                return
            paths = self.paths.setdefault(id(node), [])
            paths.insert(0 if joined == self._first[id(node)] else len(paths), joined)
            first_time = id(node) not in self.modules
            self.modules[id(node)] = node
            self._open.add(id(node))
            for key, child in _children(node):
                if first_time or _holds_modules(child):
                    self._visit(child, (*path, key), id(node), key)
            self._open.remove(id(node))
        elif isinstance(node, nnx.Variable):
            self._variable(node, joined, owner, name)
        elif isinstance(node, jax.Array):
            self.left_out[joined] = "an array that is no nnx.Variable"
        elif isinstance(node, nnx.RngStream | nnx.Rngs):
            self.left_out[joined] = "random state"
        elif isinstance(node, list | tuple | dict):
            for key, child in _children(node):
                self._visit(child, (*path, key), owner, f"{name}/{key}")

    def _variable(self, node: nnx.Variable[Any], path: str, owner: int | None, name: str) -> None:
        for kind, reason in _NO_WEIGHTS.items():
            if isinstance(node, kind):
                self.left_out[path] = reason
                return
        assert owner is not None
        first, path = self._first[id(node)], _below(self._first[owner], name)
        if first == path:
            self.variables[path] = node
        value = node.get_value()
        role: Role = "parameter" if isinstance(node, nnx.Param) else "buffer"
        shared_with = "" if first == path else first
        spec = TensorSpec(name, tuple(np.shape(value)), str(value.dtype), role, shared_with)
        self.tensors.setdefault(owner, []).append(spec)


def _first_paths(model: nnx.Module) -> dict[int, str]:
    """The first path of every module and variable in the order of `nnx.split`, which sorts names.

    What is shared has that path in states and in gradients, and in a model split and merged again,
    whatever the order in which its attributes were set.
    """
    found: dict[int, str] = {}

    def visit(node: Any, path: str) -> None:
        if isinstance(node, nnx.Module | nnx.Variable):
            if id(node) in found:
                return
            found[id(node)] = path
        if isinstance(node, nnx.Module | list | tuple | dict):
            children = _children(node)
            if not isinstance(node, nnx.List | list | tuple):
                children = iter(sorted(children, key=itemgetter(0)))
            for key, child in children:
                visit(child, _below(path, key))

    visit(model, "")
    return found


def _below(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _children(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, nnx.List | list | tuple):
        yield from ((str(i), child) for i, child in enumerate(node))
    elif isinstance(node, dict):
        yield from ((str(key), child) for key, child in node.items())
    else:
        yield from ((k, child) for k, child in vars(node).items() if not k.startswith("_"))


def _holds_modules(node: Any) -> bool:
    if isinstance(node, list | tuple | dict):
        return any(_holds_modules(child) for _, child in _children(node))
    return isinstance(node, nnx.Module)


def _settings(module: nnx.Module) -> dict[str, Any]:
    if isinstance(module, nnx.List):
        return {}
    attributes = vars(module).items()
    no_state = {k: v for k, v in attributes if not isinstance(v, nnx.Variable | nnx.Module)}
    return plain_settings(no_state)


def _bases(cls: type) -> list[type]:
    return [c for c in cls.__mro__[1:] if issubclass(c, nnx.Module) and c is not nnx.Module]
