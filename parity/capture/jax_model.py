"""The port's model and what it gives: run, its loss, its arrays in canonical form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from parity.bridge import flax_end
from parity.bridge.mapping import Mapping
from parity.capture import start
from parity.capture.jax_tap import host, is_array
from parity.capture.leaves import arguments, change_leaves, leaves
from parity.capture.output_layout import OutputLayout
from parity.pair import PairError
from parity.user_code import call

if TYPE_CHECKING:
    from parity.capture.from_jax import Side

Arrays = dict[str, np.ndarray]


def run_model(side: Side, model: Any, inputs: Any) -> Any:
    """The model's outputs; a dict goes in by keyword, a tuple by position."""
    args, kwargs = arguments(inputs)
    return call(side.pair, "the port's __call__", lambda: model(*args, **kwargs))


def loss_of(side: Side, outputs: Any, targets: Any, layout: OutputLayout) -> jax.Array:
    """The pair's loss, or the outputs projected on fixed random numbers."""
    if side.pair.port_loss:
        loss = call(side.pair, "port_loss", side.pair.port_loss, outputs, targets)
        if not is_array(loss) or loss.size != 1:
            found = f"shape {loss.shape}" if is_array(loss) else type(loss).__name__
            raise PairError(f"port_loss returned {found}, expected a scalar array")
        return loss.reshape(())
    numbers = {
        name: start.projection(name, shape, side.job.seed) for name, shape in layout.shapes.items()
    }
    lying = layout.to_port(numbers)
    total = jnp.zeros(())
    for leaf, array in leaves(outputs, is_array).items():
        if jnp.issubdtype(array.dtype, jnp.floating):
            total = total + (array * jnp.asarray(lying[leaf], array.dtype)).sum()
    return total


def numpy_outputs(outputs: Any) -> Any:
    """The outputs as NumPy arrays, nested as they are."""
    return change_leaves(outputs, is_array, lambda _, array: host(array))


def copy_of(side: Side, training: bool) -> nnx.Module:
    """A copy of the model as it starts, in the mode."""
    if training:
        side.model.train()
    else:
        side.model.eval()
    graph, state = nnx.split(side.model)
    # Copies: a pair's own training may donate what it is given.
    return merged(graph, jax.tree.map(lambda array: array.copy(), state))


def merged(graph: Any, *states: Any) -> Any:
    """A model of variables of its own: `nnx.merge` takes those of the states, and a training pass
    would change them, or fail under `jax.grad` because they were made outside."""
    return nnx.merge(graph, *jax.tree.map(lambda array: array, states))


def split(model: nnx.Module, wanted: Any) -> tuple[Any, Any, Any]:
    """`nnx.split` into what is `wanted` and the rest."""
    graph, chosen, *rest = nnx.split(model, wanted, ...)
    return graph, chosen, rest[0]


def flat(outputs: Any) -> Arrays:
    """NumPy outputs by leaf name."""
    return leaves(outputs, start.is_numpy)


def buffers(side: Side, model: nnx.Module) -> Arrays:
    """The buffers of a model, in canonical form."""
    roles = {name: spec.role for name, spec in side.reference.tensors()}
    everything = side.bridge.to_canonical(flax_end.export(model))
    return {name: a for name, a in everything.items() if roles[name] == "buffer"}


def parameters(side: Side, tree: Any) -> Arrays:
    """A tree like the parameters (gradients, momenta), in canonical form."""
    named = {"/".join(map(str, path)): host(_value(leaf)) for path, leaf in nnx.to_flat_state(tree)}
    return canonical_part(side.bridge, named)


def canonical_part(bridge: Mapping, named: Arrays) -> Arrays:
    """Those of the port's parameters' gradients or slots that are there, in canonical form.

    Frozen parameters have none. What the reference has and the port has not fails in the verdict.
    """
    arrays: Arrays = {}
    for binding in bridge.parameters().bindings:
        if all(tensor.full in named for tensor in binding.flax.values()):
            arrays |= binding.to_canonical(named, gradients=True)
    return arrays


def _value(leaf: Any) -> Any:
    return leaf.get_value() if isinstance(leaf, nnx.Variable) else leaf
