"""Look into an NNX model while it runs: what each layer is given, returns, and its cotangent.

The model runs eagerly, layer by layer, and `__call__` of its layers' classes is replaced meanwhile.
What runs inside a compiled loop has no numbers to look at and is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from parity.bridge.flax_end import modules
from parity.capture.leaves import argument_leaves, change_leaves, leaves


@dataclass
class PortCall:
    """One call of one layer: what is needed to call it again."""

    path: str
    args: tuple
    kwargs: dict[str, Any]


@dataclass
class Recording:
    """What a pass through the model was, in the port's own layouts and under its own paths."""

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    calls: dict[str, PortCall] = field(default_factory=dict)
    cotangents: dict[str, np.ndarray] = field(default_factory=dict)
    traced: set[str] = field(default_factory=set)
    """Layers whose numbers could not be seen: they run inside a compiled loop."""


def is_array(value: Any) -> bool:
    """Whether it is an array of JAX's, a tracer among them, or NumPy's."""
    return isinstance(value, jax.Array | np.ndarray) and not _is_key(value)


def host(array: Any) -> np.ndarray:
    """A copy on the host; bfloat16, which NumPy lacks, as float32."""
    if array.dtype == jnp.bfloat16:
        array = array.astype(jnp.float32)
    return np.array(array)


@contextmanager
def recording(model: nnx.Module, cotangents: bool = False) -> Iterator[Recording]:
    """Record the calls of every layer but the model itself.

    Without `cotangents` what each layer is given and returns; with it, under `jax.grad`, the
    cotangents of what it returns instead.
    """
    record = Recording()
    counts: dict[str, int] = {}

    def look(path: str, call: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Any:
        place = f"{path}#{counts.get(path, 0)}"
        counts[path] = counts.get(path, 0) + 1
        if cotangents:
            return _tapped(call(*args, **kwargs), place, record)
        given = argument_leaves(args, kwargs, is_array)
        value = call(*args, **kwargs)
        returned = leaves(value, is_array)
        if any(isinstance(a, jax.core.Tracer) for a in [*given.values(), *returned.values()]):
            record.traced.add(path)
            return value
        record.arrays |= {f"enter/{place}/{leaf}": host(a) for leaf, a in given.items()}
        record.arrays |= {f"exit/{place}/{leaf}": host(a) for leaf, a in returned.items()}
        record.calls[place] = PortCall(path, args, kwargs)
        return value

    with calls_through(model, look):
        yield record


Look = Callable[[str, Callable[..., Any], tuple, dict[str, Any]], Any]


@contextmanager
def calls_through(
    model: nnx.Module, look: Look, path_of_copy: Callable[[Any], str | None] = lambda _: None
) -> Iterator[None]:
    """Inside, every call of a module of `model` goes through `look(path, call, args, kwargs)`.

    `path_of_copy` is asked for the path of modules that are none of the model's own.
    """
    paths = {id(module): path for path, module in modules(model).items() if path}
    classes = {type(module) for path, module in modules(model).items() if path}
    originals = {cls: found for cls in classes if (found := _call_method(cls))}
    own = {cls for cls in originals if "__call__" in vars(cls)}
    open_calls: set[int] = set()

    def through(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            path = paths.get(id(self)) or path_of_copy(self)
            if path is None or id(self) in open_calls:  # a base class's, called through super()
                return original(self, *args, **kwargs)
            open_calls.add(id(self))
            try:
                return look(path, bound(original, self), args, kwargs)
            finally:
                open_calls.remove(id(self))

        return call

    for cls, original in originals.items():
        cls.__call__ = through(original)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for cls, original in originals.items():
            if cls in own:
                cls.__call__ = original  # type: ignore[method-assign]
            else:
                del cls.__call__


def _call_method(cls: type) -> Any:
    """The class's `__call__`; None for one whose modules are not called, as nnx.List."""
    return next((vars(c)["__call__"] for c in cls.__mro__ if "__call__" in vars(c)), None)


def bound(function: Callable[..., Any], module: Any) -> Callable[..., Any]:
    """The function as a method of `module`, which it has as `__self__`."""
    return function.__get__(module)


def _tapped(value: Any, place: str, record: Recording) -> Any:
    def keep(leaf: str, array: Any) -> Any:
        if not jnp.issubdtype(array.dtype, jnp.floating):
            return array
        return _tap(array, _Keep(record, f"{place}/{leaf}"))

    return change_leaves(value, is_array, keep)


class _Keep:
    """Where a cotangent goes; hashable, as what is static to JAX must be."""

    def __init__(self, record: Recording, name: str) -> None:
        self._record, self._name = record, name

    def __call__(self, cotangent: Any) -> None:
        if isinstance(cotangent, jax.core.Tracer):
            self._record.traced.add(self._name.partition("#")[0])
        else:
            self._record.cotangents[self._name] = host(cotangent)


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def _tap(x: Any, keep: _Keep) -> Any:
    """The array itself; its cotangent goes to `keep` on the way back."""
    return x


def _tap_forward(x: Any, keep: _Keep) -> tuple[Any, None]:
    return x, None


def _tap_backward(keep: _Keep, _: None, cotangent: Any) -> tuple[Any]:
    keep(cotangent)
    return (cotangent,)


_tap.defvjp(_tap_forward, _tap_backward)


def tap_outputs(outputs: Any, record: Recording) -> Any:
    """The model's outputs, their cotangents recorded as those of the layer 'output'."""
    return _tapped(outputs, "output", record)


def _is_key(value: Any) -> bool:
    return isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key)
