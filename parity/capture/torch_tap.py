"""Look into a PyTorch model while it runs: what each layer is given, returns, and its cotangent.

Everything is copied at once: an in-place layer would overwrite what a hook keeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from parity.capture.dropout import uniform
from parity.capture.leaves import (
    aliases_of,
    argument_leaves,
    change_arguments,
    change_leaves,
    leaves,
)

DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)


@dataclass
class Call:
    """One call of one layer: what is needed to call it again."""

    module: nn.Module
    args: tuple
    kwargs: dict[str, Any]
    aliases: dict[str, str]
    """Arguments that are the same tensor as an earlier one: x, x, x into attention."""
    is_leaf: bool = False
    """Whether no other layer was called inside."""


@dataclass
class Recording:
    """What a pass through the model was, in canonical form."""

    timeline: list[list[Any]] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    cotangents: dict[str, np.ndarray] = field(default_factory=dict)


def is_tensor(value: Any) -> bool:
    """Whether it is a tensor."""
    return isinstance(value, torch.Tensor)


def host(tensor: torch.Tensor) -> np.ndarray:
    """A copy of a tensor on the host; bfloat16, which NumPy lacks, as float32."""
    tensor = tensor.detach()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.float()
    return np.array(tensor.cpu().numpy())


@contextmanager
def recording(model: nn.Module, cotangents: bool = False) -> Iterator[Recording]:
    """Record every layer's calls inside; the model itself is no layer."""
    record = Recording()
    counts: dict[str, int] = {}
    open_calls: list[str] = []
    handles = []
    for path, module in model.named_modules():
        if path:
            handles += _hooked(path, module, record, counts, open_calls, cotangents)
    try:
        yield record
    finally:
        for handle in handles:
            handle.remove()


def _hooked(
    path: str,
    module: nn.Module,
    record: Recording,
    counts: dict[str, int],
    open_calls: list[str],
    cotangents: bool,
) -> list[Any]:
    def entered(module: nn.Module, args: tuple, kwargs: dict[str, Any]) -> None:
        place = f"{path}#{counts.setdefault(path, 0)}"
        counts[path] += 1
        open_calls.append(place)
        found = argument_leaves(args, kwargs, is_tensor)
        record.timeline.append(["enter", path, _call_of(place), list(found), False])
        record.arrays |= {f"enter/{place}/{leaf}": host(t) for leaf, t in found.items()}
        kept = change_arguments(args, kwargs, is_tensor, lambda _, t: t.detach().clone())
        record.calls[place] = Call(module, *kept, aliases_of(found))

    def left(module: nn.Module, args: tuple, kwargs: dict[str, Any], value: Any) -> Any:
        place = open_calls.pop()
        found = leaves(value, is_tensor)
        before = record.timeline[-1]
        is_leaf = before[:3] == ["enter", path, _call_of(place)]
        if is_leaf:
            before[4] = record.calls[place].is_leaf = True
        record.timeline.append(["exit", path, _call_of(place), list(found), is_leaf])
        record.arrays |= {f"exit/{place}/{leaf}": host(t) for leaf, t in found.items()}
        return tap(value, place, record) if cotangents else value

    return [
        module.register_forward_pre_hook(entered, with_kwargs=True),
        module.register_forward_hook(left, with_kwargs=True),
    ]


def tap(value: Any, place: str, record: Recording) -> Any:
    """The value as it goes on from `place`, with the cotangents of its tensors recorded.

    They are views: what the layer itself does with the tensor it returned is no part of them.
    """

    def tapped(leaf: str, tensor: torch.Tensor) -> torch.Tensor:
        if not tensor.requires_grad:
            return tensor
        view, name = tensor.view_as(tensor), f"{place}/{leaf}"
        view.register_hook(lambda g: record.cotangents.update({name: host(g)}))
        return view

    return change_leaves(value, is_tensor, tapped)


def _call_of(place: str) -> int:
    return int(place.rpartition("#")[2])


@contextmanager
def shared_dropout(model: nn.Module, step: int, first_call: int = 0) -> Iterator[None]:
    """Inside, the model's dropout layers take the masks that the port's take too.

    The first call of each counts as its call number `first_call`.
    """
    layers = [(p, m) for p, m in model.named_modules() if type(m) in DROPOUTS]
    counts = {path: first_call for path, _ in layers}
    for path, module in layers:
        module.forward = _dropout(path, module, counts, step)
    try:
        yield
    finally:
        for _, module in layers:
            del module.forward  # the instance's; the class's comes back


def _dropout(path: str, module: nn.Module, counts: dict[str, int], step: int) -> Any:
    def forward(x: torch.Tensor) -> torch.Tensor:
        call = counts[path]
        counts[path] = call + 1
        rate = float(module.p)  # type: ignore[arg-type]
        if not module.training or rate == 0:
            return x
        shape = tuple(x.shape)
        if type(module) is not nn.Dropout:  # whole channels
            shape = (*shape[:2], *(1 for _ in shape[2:]))
        kept = torch.from_numpy(uniform(np, shape, path, call, step) >= np.float32(rate))
        return x * kept.to(x.device).to(x.dtype) / (1 - rate) if rate < 1 else torch.zeros_like(x)

    return forward


@contextmanager
def biased_variances(model: nn.Module) -> Iterator[dict[str, torch.Tensor]]:
    """Running variances as they would be if batch norms kept the biased variance, by name.

    That is Flax's convention (flax.nnx.BatchNorm); PyTorch's keeps the unbiased one.
    """
    layers = {
        path: module
        for path, module in model.named_modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_var is not None
    }
    kept = {
        f"{path}.running_var" if path else "running_var": layer.running_var.detach().clone()
        for path, layer in layers.items()
        if layer.running_var is not None
    }

    def track(name: str) -> Any:
        def before(module: nn.modules.batchnorm._BatchNorm, args: tuple) -> None:
            if module.training:
                x = args[0].detach()
                found = x.var([d for d in range(x.ndim) if d != 1], correction=0)
                rate = module.momentum
                if rate is None:  # the average of all
                    assert module.num_batches_tracked is not None
                    rate = 1 / (float(module.num_batches_tracked) + 1)
                kept[name] = (1 - rate) * kept[name] + rate * found

        return before

    handles = [
        layer.register_forward_pre_hook(track(name))
        for name, layer in zip(kept, layers.values(), strict=True)
    ]
    try:
        yield kept
    finally:
        for handle in handles:
            handle.remove()
