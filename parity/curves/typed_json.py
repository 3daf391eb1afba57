"""JSON into frozen dataclasses, every field checked. Standard library only."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class MismatchError(Exception):
    """A value is not what a field holds; the text names the field."""


def decode(kind: type[T], value: Any, where: str = "") -> T:
    """The dataclass that `dataclasses.asdict` and JSON made `value` from.

    Raises `MismatchError` for a missing or unknown field and for a value of another type.
    """
    if not isinstance(value, dict):
        raise MismatchError(f"{where or kind.__name__}: found {_name(value)}, expected an object")
    hints = typing.get_type_hints(kind)
    fields = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for word, names in (("missing", fields - value.keys()), ("unknown", value.keys() - fields)):
        if names:
            raise MismatchError(f"{_at(where, min(names))}: {word}")
    return kind(**{name: _value(hints[name], value[name], _at(where, name)) for name in fields})


def _value(kind: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return decode(kind, value, where)  # type: ignore[arg-type]
    if origin in (typing.Union, types.UnionType):
        some = [argument for argument in arguments if argument is not type(None)]
        return None if value is None else _value(some[0], value, where)
    if origin is typing.Literal:
        if value not in arguments:
            raise MismatchError(f"{where}: found {value!r}, expected one of {arguments}")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise MismatchError(f"{where}: found {_name(value)}, expected a list")
        return tuple(_value(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if origin in (dict, Mapping):
        if not isinstance(value, dict):
            raise MismatchError(f"{where}: found {_name(value)}, expected an object")
        return {key: _value(arguments[1], item, _at(where, key)) for key, item in value.items()}
    return _plain(kind, value, where)


def _plain(kind: Any, value: Any, where: str) -> Any:
    if kind is Any:
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise MismatchError(f"{where}: found {_name(value)}, expected {kind.__name__}")
    return value


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _name(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__
