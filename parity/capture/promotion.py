"""Raises a port to float64, though its layers hold on to float32, and says what was raised.

Enabling x64 is not enough: NNX makes parameters in `param_dtype`, float32 unless told otherwise,
`nnx.BatchNorm` keeps float32 statistics whatever it is told, `nnx.Embed` fixes its dtype when it is
built, recurrent cells start from a carry in `param_dtype`. None of that is a fault of the port.
What the model's author asked for, bfloat16 or float16, is left and reported.
See `parity.capture.float64_attention` for what no attribute decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from experiment.errors import UserError
from parity.grouping import listed

_RAISED = {np.dtype("float32"): np.dtype("float64"), np.dtype("complex64"): np.dtype("complex128")}


class PromotionError(UserError):
    """The process cannot compute in float64."""


def promote(model: nnx.Module) -> list[str]:
    """Raise a model from float32 to float64, in place; says what was raised, and what was not.

    Variables of any kind, dtypes that layers keep, and arrays that modules hold. Float16 and
    bfloat16 stay as they are; those sentences are `low_precision(model)`. Raises `PromotionError`
    unless x64 is on.
    """
    if jnp.result_type(float) != jnp.float64:
        raise PromotionError(
            "float64 needs JAX's x64 mode, and it is off; set JAX_ENABLE_X64=1 or call "
            "jax.config.update('jax_enable_x64', True) before the first array is made"
        )
    raised = []
    for item in _items(model):
        target = _RAISED.get(item.dtype)
        if target is not None:
            thing, pronoun = _told(item)
            raised.append((item.path, f"{thing}; {pronoun} {target} here"))
            item.set(target)
    return [*_sentences(raised), *low_precision(model)]


def low_precision(model: nnx.Module) -> list[str]:
    """What is narrower than float32, because the model's author asked for it, as sentences."""
    narrow = []
    for item in _items(model):
        if jnp.issubdtype(item.dtype, jnp.floating) and item.dtype.itemsize < 4:
            thing, pronoun = _told(item)
            text = f"{thing}; {pronoun} left so: the model asks for it, and float64 would hide that"
            narrow.append((item.path, text))
    return _sentences(narrow)


@dataclass(frozen=True)
class _Item:
    """Something that has a dtype: a variable, an array, or a setting that names one."""

    owner: Any
    """The module, or the list or dict inside it."""
    key: Any
    value: Any
    path: str
    """Of the module that it belongs to."""
    module: Any
    name: str
    """The module's attribute."""

    @property
    def dtype(self) -> np.dtype:
        value = self.value.get_value() if isinstance(self.value, nnx.Variable) else self.value
        return np.dtype(getattr(value, "dtype", None) if _is_array(value) else value)

    def set(self, dtype: np.dtype) -> None:
        if isinstance(self.value, nnx.Variable):
            # `variable[...] = value` would keep the old dtype.
            self.value.set_value(jnp.asarray(self.value.get_value(), dtype))
            return
        value = self.value.astype(dtype) if _is_array(self.value) else _alike(self.value, dtype)
        if isinstance(self.owner, list | dict):
            self.owner[self.key] = value
        else:
            setattr(self.owner, self.key, value)


def _items(model: nnx.Module) -> Iterator[_Item]:
    seen: set[int] = set()
    for path, module in nnx.iter_modules(model):
        joined = "/".join(map(str, path))
        for name, value in list(vars(module).items()):
            if not name.startswith("_pytree__"):  # NNX's own
                yield from _of_value(module, name, value, joined, module, name, seen)


def _of_value(
    owner: Any, key: Any, value: Any, path: str, module: Any, name: str, seen: set[int]
) -> Iterator[_Item]:
    item = _Item(owner, key, value, path, module, name)
    if isinstance(value, nnx.Variable):
        # One that two modules share is one; random states and the like have no floats.
        if id(value) not in seen and _is_float(value.get_value()):
            yield item
        seen.add(id(value))
    elif _is_float(value) or _names_dtype(name, value):
        yield item
    elif isinstance(value, list | dict):
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for inner, child in list(entries):
            yield from _of_value(value, inner, child, path, module, name, seen)


def _is_array(value: Any) -> bool:
    return isinstance(value, jax.Array | np.ndarray | np.generic)


def _is_float(value: Any) -> bool:
    return _is_array(value) and jnp.issubdtype(value.dtype, jnp.inexact)


def _names_dtype(name: str, value: Any) -> bool:
    """Whether a setting is a dtype; 'promote_dtype' is a function, and None decides nothing."""
    if not (name.endswith("dtype") or name == "preferred_element_type"):
        return False
    if not isinstance(value, str | np.dtype | type | type(jnp.float32)):
        return False
    return bool(jnp.issubdtype(value, jnp.inexact))


def _alike(setting: Any, dtype: np.dtype) -> Any:
    """The other dtype in the spelling of the first: a name, a `np.dtype` or `jnp.float32`'s kind"""
    if isinstance(setting, str):
        return dtype.name
    return dtype if isinstance(setting, np.dtype) else getattr(jnp, dtype.name)


def _told(item: _Item) -> tuple[str, str]:
    """What has the dtype, as the beginning of a sentence, and how it goes on."""
    cls, dtype = type(item.module), item.dtype.name
    layer = f"nnx.{cls.__name__}" if cls.__module__.startswith("flax.") else cls.__name__
    if isinstance(item.value, nnx.Param):
        return f"parameters are made in {dtype}", "they are"
    if isinstance(item.value, nnx.BatchStat):
        return f"{layer} keeps {dtype} running statistics", "they are"
    if isinstance(item.value, nnx.Variable):
        return f"{layer} keeps {type(item.value).__name__} {item.name!r} in {dtype}", "it is"
    if _is_array(item.value):
        # What was exact stays so; a table computed in float32 has float32's digits for ever.
        return f"{layer} holds the constant {item.name!r} with the digits of {dtype}", "it is"
    if item.name == "param_dtype":
        return f"param_dtype is set to {dtype}", "it is"
    return f"{layer} has {item.name} {dtype}", "it is"


def _sentences(findings: Sequence[tuple[str, str]]) -> list[str]:
    """(module's path, text), one sentence for all modules of which the same is to be said."""
    groups: dict[str, list[str]] = {}
    for path, text in findings:
        paths = groups.setdefault(text, [])
        if (path or "the model") not in paths:
            paths.append(path or "the model")
    return [f"{listed(paths)}: {text}" for text, paths in groups.items()]
