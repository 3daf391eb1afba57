"""What a model is made of, as data: modules, their settings, their tensors. Numpy only.

Either framework's end of the bridge describes its model in these classes; matching reads nothing
else. They travel as JSON between the two processes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Framework = Literal["torch", "flax"]
Role = Literal["parameter", "buffer"]

_SEPARATORS = {"torch": ".", "flax": "/"}

_PUBLIC_PACKAGES = ("torch.nn", "flax.nnx", "parity.layers")
"""Packages that show their classes under their own name, wherever these are defined inside."""


@dataclass(frozen=True)
class TensorSpec:
    """One parameter or buffer of a module.

    `name` is the name inside the module ('weight'); `shared_with` the full name of the tensor that
    is the same object and was listed before, '' for a tensor of its own.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    role: Role
    shared_with: str = ""


@dataclass(frozen=True)
class ModuleSpec:
    """One module: where it is, what it is, and what it holds itself (not what its children hold).

    `kind` is the class, 'torch.nn.Conv2d' or 'flax.nnx.Conv', and `bases` the classes it is derived
    from. `settings` are its public attributes that JSON can hold (stride, eps, momentum...);
    functions appear by name. A shared module is listed once, under the first of its paths; the
    others are its `aliases`.
    """

    path: str
    kind: str
    bases: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    tensors: tuple[TensorSpec, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The class and those it is derived from, nearest first."""
        return (self.kind, *self.bases)


@dataclass(frozen=True)
class Structure:
    """A model. `left_out` says which of its state is no part of it, and why."""

    framework: Framework
    modules: tuple[ModuleSpec, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)

    def full_name(self, module: ModuleSpec, tensor: TensorSpec) -> str:
        """The tensor's name in the model: 'layers.0.weight' or 'layers/0/kernel'."""
        return _SEPARATORS[self.framework].join(filter(None, (module.path, tensor.name)))

    def tensors(self) -> Iterator[tuple[str, TensorSpec]]:
        """Every tensor once, with its full name."""
        for module in self.modules:
            for tensor in module.tensors:
                if not tensor.shared_with:
                    yield self.full_name(module, tensor), tensor

    def to_json(self) -> str:
        """As text, for `from_json` in another process."""
        return json.dumps(self.as_dict())

    @classmethod
    def from_json(cls, text: str) -> Structure:
        """What `to_json` wrote."""
        return cls.from_dict(json.loads(text))

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Structure:
        """What `as_dict` gave, also after it went through JSON."""
        modules = tuple(_module(dict(item)) for item in data["modules"])
        return cls(data["framework"], modules, data["left_out"])


def kind_of(cls: type) -> str:
    """The class's public name: 'torch.nn.Conv2d', not 'torch.nn.modules.conv.Conv2d'."""
    for package in _PUBLIC_PACKAGES:
        if cls.__module__ == package or cls.__module__.startswith(f"{package}."):
            return f"{package}.{cls.__qualname__}"
    return f"{cls.__module__}.{cls.__qualname__}"


def plain_settings(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The public attributes that JSON can hold, tuples as lists and functions by name."""
    settings = {}
    for name, value in attributes.items():
        if not name.startswith("_"):
            try:
                settings[name] = _plain(value)
            except TypeError:
                continue
    return settings


def _plain(value: Any) -> Any:
    """The value as JSON can hold it. Raises TypeError where it cannot."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if hasattr(value, "func") and hasattr(value, "keywords"):  # functools.partial
        return {"function": _plain(value.func), **_plain(value.keywords)}
    if callable(value) and hasattr(value, "__name__"):
        return value.__name__
    raise TypeError(f"{type(value)} is no setting")


def _module(item: dict[str, Any]) -> ModuleSpec:
    tensors = (TensorSpec(**{**t, "shape": tuple(t["shape"])}) for t in item.pop("tensors"))
    bases, aliases = tuple(item.pop("bases")), tuple(item.pop("aliases"))
    return ModuleSpec(**item, bases=bases, aliases=aliases, tensors=tuple(tensors))
