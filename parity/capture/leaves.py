"""The arrays inside a value, by name: what a layer is given or returns may be nested.

A single array is leaf '0'; a tuple's are '0', '1', those nested in it '1.0'; a mapping's go by key.
None is no leaf. What is an array is asked of the framework through `is_array`.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from experiment.errors import UserError

IsArray = Callable[[Any], bool]
Change = Callable[[str, Any], Any]


class LeafError(UserError):
    """A container whose arrays cannot be replaced."""


def leaves(value: Any, is_array: IsArray) -> dict[str, Any]:
    """The arrays of `value`, by leaf name."""
    if is_array(value):
        return {"0": value}
    return {".".join(path): leaf for path, leaf in _walk(value, is_array, ())}


def arguments(inputs: Any) -> tuple[tuple, dict[str, Any]]:
    """A pair's inputs as a call's: a dict goes in by keyword, a tuple by position."""
    if isinstance(inputs, dict):
        return (), inputs
    return (inputs if isinstance(inputs, tuple) else (inputs,)), {}


def argument_leaves(args: tuple, kwargs: Mapping[str, Any], is_array: IsArray) -> dict[str, Any]:
    """The arrays of a call: positional ones by position, keyword ones by name."""
    return leaves((*args,), is_array) | (leaves(dict(kwargs), is_array) if kwargs else {})


def aliases_of(found: Mapping[str, Any]) -> dict[str, str]:
    """Leaves that are the same object as an earlier one, and that one's name."""
    first: dict[int, str] = {}
    named = {name: first.setdefault(id(array), name) for name, array in found.items()}
    return {name: earlier for name, earlier in named.items() if name != earlier}


def change_leaves(value: Any, is_array: IsArray, change: Change) -> Any:
    """The same value with `change(name, array)` in place of each array.

    Raises `LeafError` for a mapping that can neither be copied nor made anew.
    """
    if is_array(value):
        return change("0", value)
    return _rebuilt(value, is_array, change, ())


def change_arguments(
    args: tuple, kwargs: Mapping[str, Any], is_array: IsArray, change: Change
) -> tuple[tuple, dict[str, Any]]:
    """A call's arguments with `change(name, array)` in place of each array."""
    return (
        _rebuilt(tuple(args), is_array, change, ()),
        _rebuilt(dict(kwargs), is_array, change, ()),
    )


def _items(value: Any) -> list[tuple[str, Any]] | None:
    """A container's items, None for what is no container."""
    if isinstance(value, Mapping):
        return [(str(key), item) for key, item in value.items()]
    if isinstance(value, tuple | list):
        return [(str(i), item) for i, item in enumerate(value)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(f.name, getattr(value, f.name)) for f in dataclasses.fields(value)]
    return None


def _walk(
    value: Any, is_array: IsArray, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    if is_array(value):
        yield path, value
        return
    for key, item in _items(value) or []:
        yield from _walk(item, is_array, (*path, key))


def _rebuilt(value: Any, is_array: IsArray, change: Change, path: tuple[str, ...]) -> Any:
    if is_array(value):
        return change(".".join(path), value)
    items = _items(value)
    if items is None:
        return value
    new = [_rebuilt(item, is_array, change, (*path, key)) for key, item in items]
    if isinstance(value, Mapping):
        return _mapping(value, dict(zip(value, new, strict=True)))
    if hasattr(value, "_fields"):  # a named tuple
        return type(value)(*new)
    if isinstance(value, tuple | list):
        return type(value)(new)
    return dataclasses.replace(value, **dict(zip([key for key, _ in items], new, strict=True)))


def _mapping(value: Mapping, new: dict) -> Any:
    """A mapping of the same class: not every class is made of its items (`defaultdict`)."""
    kind: Any = type(value)
    try:
        if not isinstance(value, MutableMapping):
            return kind(new)
        changed = copy.copy(value)
    except TypeError as error:
        raise LeafError(
            f"a layer is given or returns a {kind.__qualname__}, a mapping that can neither be "
            f"copied nor made of a dict ({error}); expected a dict, or a mapping of its kind"
        ) from error
    for key, item in new.items():
        changed[key] = item
    return changed
