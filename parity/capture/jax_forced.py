"""One layer of the port alone, given the oracle's numbers: the error that it adds by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from parity.bridge import flax_end
from parity.capture.jax_passes import PASSES, copy_of, loss_of, merged, run_model, split
from parity.capture.jax_tap import PortCall, host, is_array
from parity.capture.leaves import (
    aliases_of,
    argument_leaves,
    change_arguments,
    change_leaves,
    leaves,
)
from parity.capture.output_layout import OutputLayout

if TYPE_CHECKING:
    from parity.capture.from_jax import Side

Arrays = dict[str, np.ndarray]


def forced_layer(
    side: Side, name: str, place: str, one: PortCall, oracle: Mapping[str, np.ndarray]
) -> Arrays | str:
    """What the layer returns, and in training mode its derivatives; or why it cannot be forced."""
    own, _, number = place.rpartition("#")
    template = argument_leaves(one.args, one.kwargs, is_array)
    given: dict[str, jax.Array] = {}
    aliases = aliases_of(template)
    for leaf, array in template.items():
        value = oracle.get(f"{name}/enter/{place}/{leaf}")
        if value is None and not jnp.issubdtype(array.dtype, jnp.floating):
            given[leaf] = array  # a mask in another convention: it has no error
            continue
        if value is None:
            return f"the reference's layer has no argument {leaf}"
        lies = side.layout(f"{name}/enter/{place}/{leaf}", own, array.shape)
        if lies is None or lies.to_port(value).shape != array.shape:
            return f"its argument {leaf} has another shape than the reference's"
        # Integers and masks stay what the port takes: they have no error.
        given[leaf] = jnp.array(lies.to_port(value)).astype(array.dtype)
    model = copy_of(side, training=name == "train")
    graph, params, rest = split(model, _parameters_below(one.path))
    floats = {
        n: a for n, a in given.items() if jnp.issubdtype(a.dtype, jnp.floating) and n not in aliases
    }

    def run(params: Any, floats: dict[str, jax.Array]) -> dict[str, jax.Array]:
        model = merged(graph, params, rest)
        layer: Any = flax_end.modules(model)[one.path]
        args, kwargs = change_arguments(
            one.args,
            one.kwargs,
            is_array,
            lambda leaf, _: floats.get(aliases.get(leaf, leaf), given[leaf]),
        )
        with side.dropout(model, 0, first_call=int(number)):
            return leaves(layer(*args, **kwargs), is_array)

    if name == "eval":
        return _outputs(side, name, place, run(params, floats))
    found, back = jax.vjp(run, params, floats)
    arrays = _outputs(side, name, place, found)
    cotangents = {
        leaf: _cotangent(side, place, leaf, array, oracle) for leaf, array in found.items()
    }
    if all(c is None for c in cotangents.values()):
        return arrays
    zeros = {n: _zeros(a) for n, a in found.items()}
    grads, inputs = back({n: zeros[n] if c is None else c for n, c in cotangents.items()})
    for leaf, array in inputs.items():
        lies = side.layout(f"train/enter/{place}/{leaf}", own, array.shape)
        assert lies is not None  # it was told above
        arrays[f"forced/cotangent/{place}/{leaf}"] = lies.to_canonical(host(array))
    return arrays | {
        f"forced/gradient/{place}/{n}": a
        for n, a in _own_gradients(side, own, one.path, grads).items()
    }


def forced_loss(
    side: Side, name: str, layout: OutputLayout, oracle: Mapping[str, np.ndarray]
) -> Arrays:
    """The loss of the oracle's outputs, and its derivative."""
    model = copy_of(side, training=True)
    inputs, targets = side.batch(PASSES[name])
    with side.dropout(model, 0):
        outputs = run_model(side, model, inputs)
    prefix = f"{name}/output/"
    canonical = {n[len(prefix) :]: oracle[n] for n in oracle if n.startswith(prefix)}
    lying = layout.to_port(canonical)
    given = {n: jnp.asarray(lying[n], a.dtype) for n, a in leaves(outputs, is_array).items()}
    floats = {n: a for n, a in given.items() if jnp.issubdtype(a.dtype, jnp.floating)}

    def objective(floats: dict[str, jax.Array]) -> jax.Array:
        replaced = change_leaves(outputs, is_array, lambda n, _: floats.get(n, given[n]))
        return loss_of(side, replaced, targets, layout)

    loss, cotangents = jax.value_and_grad(objective)(floats)
    arrays = {f"forced/{name}/loss": host(loss)}
    if name == "train":
        filled = {n: host(cotangents.get(n, jnp.zeros_like(a))) for n, a in given.items()}
        for leaf, array in layout.to_canonical(filled).items():
            arrays[f"forced/cotangent/output/{leaf}"] = array
    return arrays


def _outputs(side: Side, name: str, place: str, found: Mapping[str, jax.Array]) -> Arrays:
    own, arrays = place.rpartition("#")[0], {}
    for leaf, array in found.items():
        if lies := side.layout(f"{name}/exit/{place}/{leaf}", own, array.shape):
            arrays[f"forced/{name}/exit/{place}/{leaf}"] = lies.to_canonical(host(array))
    return arrays


def _cotangent(
    side: Side, place: str, leaf: str, array: jax.Array, oracle: Mapping[str, np.ndarray]
) -> Any:
    value = oracle.get(f"cotangent/{place}/{leaf}")
    lies = side.layout(f"train/exit/{place}/{leaf}", place.rpartition("#")[0], array.shape)
    if value is None or lies is None or lies.to_port(value).shape != array.shape:
        return None
    return jnp.asarray(lies.to_port(value), array.dtype)


def _parameters_below(path: str) -> Any:
    """A filter for the parameters of one layer and what is inside."""

    def chosen(inner: tuple[Any, ...], value: Any) -> bool:
        return isinstance(value, nnx.Param) and "/".join(map(str, inner)).startswith(f"{path}/")

    return chosen


def _zeros(array: jax.Array) -> Any:
    if jnp.issubdtype(array.dtype, jnp.floating):
        return jnp.zeros_like(array)
    return np.zeros(array.shape, jax.dtypes.float0)


def _own_gradients(side: Side, own: str, path: str, grads: Any) -> Arrays:
    """A layer's parameters' gradients, in canonical form; nothing where it shares its weights.

    `own` is the reference's path of the layer, `path` the port's.
    """
    named = {}
    for inner, leaf in nnx.to_flat_state(grads):
        value = leaf.get_value() if isinstance(leaf, nnx.Variable) else leaf
        named["/".join(map(str, inner))] = host(value)
    arrays: Arrays = {}
    for binding in side.bridge.parameters().bindings:
        there = binding.site.port.path
        wanted = {tensor.full: tensor for tensor in binding.flax.values()}
        if path == there or there.startswith(f"{path}/"):
            if wanted and wanted.keys() <= named.keys():
                arrays |= binding.to_canonical(named, gradients=True)
        elif binding.rule.whole and path.startswith(f"{there}/"):
            # The rule takes the gradients of all that lies below `there`: the others are zero here.
            zeros = {n: np.zeros(t.spec.shape, side.job.dtype) for n, t in wanted.items()}
            whole = binding.to_canonical(zeros | named, gradients=True)
            arrays |= {n: a for n, a in whole.items() if n.startswith(f"{own}.")}
    return arrays
