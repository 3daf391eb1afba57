"""The reference's model and what it gives: run, its loss, its arrays in canonical form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from parity.capture import start
from parity.capture.leaves import arguments, leaves
from parity.capture.torch_tap import host, is_tensor
from parity.pair import PairError
from parity.user_code import call

if TYPE_CHECKING:
    from parity.capture.from_torch import Side

Arrays = dict[str, np.ndarray]


def run_model(side: Side, inputs: Any) -> Any:
    """The model's outputs; a dict goes in by keyword, a tuple by position."""
    args, kwargs = arguments(inputs)
    return call(side.pair, "the reference's forward", lambda: side.model(*args, **kwargs))


def loss_of(side: Side, outputs: Any, targets: Any) -> torch.Tensor:
    """The pair's loss, or the outputs projected on fixed random numbers."""
    if side.pair.reference_loss:
        loss = call(side.pair, "reference_loss", side.pair.reference_loss, outputs, targets)
        if not is_tensor(loss) or loss.numel() != 1:
            raise PairError(f"reference_loss returned {_shown(loss)}, expected a scalar tensor")
        return loss.reshape(())
    total = torch.zeros((), dtype=side.dtype, device=side.device)
    for name, leaf in output_leaves(side, outputs).items():
        if leaf.is_floating_point():
            numbers = start.projection(name, tuple(leaf.shape), side.job.seed)
            total = total + (leaf * side.to_device(numbers)).sum()
    return total


def backward(side: Side, loss: torch.Tensor) -> None:
    """`loss.backward()`. Raises `PairError` where the loss depends on no parameter."""
    if not loss.requires_grad:
        raise PairError(
            f"pair {side.pair.name!r}: the reference's loss depends on no parameter, so there is "
            "nothing to differentiate: its outputs are integers or detached, or all is frozen"
        )
    call(side.pair, "the reference's backward pass", loss.backward)


def output_leaves(side: Side, outputs: Any) -> dict[str, torch.Tensor]:
    """The model's outputs by leaf name. Raises `PairError` where there are none."""
    found = leaves(outputs, is_tensor)
    if not found:
        raise PairError(
            f"pair {side.pair.name!r}: the reference returned {type(outputs).__name__} without "
            "any tensor; expected a tensor, or a tuple or dict of tensors"
        )
    return found


def _shown(value: Any) -> str:
    return f"shape {tuple(value.shape)}" if is_tensor(value) else type(value).__name__


def buffers(side: Side) -> Arrays:
    """The buffers as they are, by canonical name."""
    roles = {name: spec.role for name, spec in side.structure.tensors()}
    names = [name for name, role in roles.items() if role == "buffer"]
    state = side.model.state_dict(keep_vars=True)
    return {name: host(state[name]) for name in names}


def parameters(side: Side) -> dict[str, torch.nn.Parameter]:
    """The parameters by canonical name; shared ones once."""
    state = side.model.state_dict(keep_vars=True)
    return {n: state[n] for n, spec in side.structure.tensors() if spec.role == "parameter"}


def gradients(side: Side, only: set[int] | None = None) -> Arrays:
    """Every parameter's gradient; zeros for one that the loss does not depend on."""
    return {
        name: np.zeros(tuple(p.shape), side.job.dtype) if p.grad is None else host(p.grad)
        for name, p in parameters(side).items()
        if (only is None or id(p) in only) and p.requires_grad
    }
