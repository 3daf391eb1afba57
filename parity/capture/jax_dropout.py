"""The port's dropout layers take the masks that the reference's take too.

A transformation of NNX's (remat, jit, scan) runs copies of the modules that it is given. So each
dropout layer carries its path in an attribute, which copies have too. The attribute is another one
at each use: a program that was traced with the masks of one use must not be taken for the next.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
from flax import nnx

from parity.bridge.flax_end import modules
from parity.capture.dropout import uniform
from parity.capture.jax_tap import calls_through
from parity.capture.layout import Layout
from parity.pair import PairError

if TYPE_CHECKING:
    from parity.capture.from_jax import Side

_MARK = "_parity_dropout"

_uses = itertools.count()

LayoutOf = Callable[[str, int, tuple[int, ...], bool], Layout]
"""(reference's path, call, shape of the input, whether a transformation's copy is called)."""


@contextmanager
def shared_dropout(
    model: nnx.Module,
    places: Mapping[str, str],
    layout: LayoutOf,
    step: Any,
    first_call: int = 0,
) -> Iterator[dict[str, int]]:
    """Inside, dropout layers take the masks that the reference's take too.

    `places` is the reference's path of each dropout layer's path, `layout` says how its input lies.
    `step` may be traced. Gives how often copies of each layer were called, by the reference's path.
    """
    counts = dict.fromkeys(places, first_call)
    copies: dict[str, int] = {}

    def drop(path: str, call: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Any:
        if path not in places:
            return call(*args, **kwargs)
        module, number, own = call.__self__, counts[path], places[path]  # type: ignore[attr-defined]
        counts[path] += 1
        off = kwargs.get("deterministic", args[1] if len(args) > 1 else None)
        off = module.deterministic if off is None else off
        x = args[0] if args else kwargs["inputs"]
        if off or module.rate == 0:
            return x
        is_copy = module is not originals[path]
        if is_copy:
            copies[own] = copies.get(own, 0) + 1
        if module.rate >= 1:
            return jnp.zeros_like(x)
        shape = [1 if d in module.broadcast_dims else n for d, n in enumerate(x.shape)]
        lies = layout(own, number, x.shape, is_copy)
        numbers = uniform(jnp, lies.canonical_shape(shape), own, number, step)
        kept = lies.to_port(numbers) >= jnp.float32(module.rate)
        return x * kept.astype(x.dtype) / (1 - module.rate)

    originals = {path: module for path, module in modules(model).items() if path in places}
    use = next(_uses)
    for path, module in originals.items():
        setattr(module, _MARK, f"{use}:{path}")

    def path_of_copy(module: Any) -> str | None:
        number, _, path = vars(module).get(_MARK, "").partition(":")
        return path if number == str(use) else None

    try:
        with calls_through(model, drop, path_of_copy):
            yield copies
    finally:
        for module in originals.values():
            delattr(module, _MARK)


@contextmanager
def dropout_of(side: Side, model: nnx.Module, step: Any, first_call: int) -> Iterator[None]:
    """Inside, the dropout layers of a side's `model` take the reference's masks.

    Raises `PairError` where they cannot.
    """

    def layout(path: str, number: int, shape: tuple[int, ...], is_copy: bool) -> Layout:
        side.masked.add(path)
        name = f"train/enter/{path}#{number}/0"
        if is_copy:
            _check_whole(side, path, side.begin.about["shapes"].get(name), shape)
        found = side.layout(name, path, shape)
        if found is None:
            raise PairError(_either_way(side.pair.name, path, shape))
        return found

    with shared_dropout(model, side.dropouts, layout, step, first_call) as copies:
        yield
    for path, seen in copies.items():
        events = side.begin.about["timeline"]["train"]
        expected = sum(1 for kind, there, *_ in events if (kind, there) == ("enter", path))
        if seen != expected:
            raise PairError(
                f"{_inside(side.pair.name, path)} was traced {_times(seen)}, and the reference "
                f"calls it {_times(expected)}: {_ADVICE}"
            )


_ADVICE = (
    "each call has a mask of its own, and a program that is traced once cannot take them; build "
    "the port without that transformation for the comparison (a setting of the model), or both "
    "models with a rate of 0"
)


def _check_whole(side: Side, path: str, full: list[int] | None, shape: tuple[int, ...]) -> None:
    """Raise `PairError` where a transformation gives the layer a part of the batch (nnx.vmap)."""
    if not full:
        return
    batch = math.prod(shape) * full[0] / max(math.prod(full), 1)
    if batch not in (side.pair.batch_size, side.pair.short_batch_size):
        raise PairError(
            f"{_inside(side.pair.name, path)} is given an array of shape {shape}, the reference's "
            f"{tuple(full)}: {_ADVICE}"
        )


def _inside(pair: str, path: str) -> str:
    return (
        f"pair {pair!r}: the port's dropout layer {path} runs inside a transformation (nnx.remat, "
        "nnx.jit, nnx.scan, nnx.vmap), where it"
    )


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _either_way(pair: str, path: str, shape: tuple[int, ...]) -> str:
    """Why a layout cannot be told: moving the last axis to the front of the others changes nothing,
    so all axes but the batch's are of one length."""
    axes = ", ".join(map(str, range(1, len(shape) - 1)))
    return (
        f"pair {pair!r}: dropout {path} is given an array of shape {shape}, whose axes {axes} and "
        f"{len(shape) - 1} are all {shape[-1]} long, so nothing tells whether channels come first "
        "or last; make one of them differ: inputs of another height, width or sequence length than "
        f"the {shape[-1]} features"
    )
