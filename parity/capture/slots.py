"""The port's optimizer slots under PyTorch's names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from flax import nnx

from parity.bridge.declarations import SLOT
from parity.bridge.errors import WaiverError
from parity.capture.jax_model import canonical_part
from parity.capture.jax_tap import host

if TYPE_CHECKING:
    from parity.capture.from_jax import Side

_NAMES = {
    "trace": ("momentum_buffer",),
    "ema": ("momentum_buffer",),
    "mu": ("exp_avg", "grad_avg"),
    "nu": ("exp_avg_sq", "square_avg", "exp_inf"),
    "nu_max": ("max_exp_avg_sq",),
    "sum_of_squares": ("sum",),
    "e_g": ("square_avg",),
    "e_x": ("acc_delta",),
}
"""Optax's field -> what torch.optim's optimizers call it (optimizer.state)."""

HYPERPARAMETERS = "hyperparams"
"""Where optax.inject_hyperparams keeps learning rates and the like in its state."""

_GROUP = re.compile(r"inner_states/[^/]+/inner_state/?")

_COUNTERS = ("count", "step")


@dataclass(frozen=True)
class Slots:
    """An optimizer's state as far as it is like the parameters."""

    side: Side
    names: dict[str, str]
    """PyTorch's name -> where it is in Optax's state."""
    values: dict[str, dict[str, np.ndarray]]
    """Optax's place -> arrays by the port's parameter names."""
    loose: list[str]
    """State without counterpart on the other side, as sentences."""

    @classmethod
    def of(cls, side: Side, optimizer: nnx.Optimizer[Any]) -> Slots:
        """The slots of the port's optimizer, matched with those that the reference has."""
        values, others = _split(side, optimizer)
        expected = list(side.begin.about.get("slots", []))
        names: dict[str, str] = {}
        for place in values:
            field = place.rpartition("/")[2]
            for name in (*_NAMES.get(field, ()), field):
                if name in expected and name not in names:
                    names[name] = place
                    break
        waived = {w.name for w in side.pair.waivers if w.name.startswith(SLOT)}
        known = {f"{SLOT}{name}" for name in (*values, *expected, *others)}
        if unknown := waived - known:
            raise WaiverError(
                f"the waiver of {sorted(unknown)[0]!r} names no slot of an optimizer; "
                f"there are: {', '.join(sorted(known)) or 'none'}"
            )
        loose = [
            f"{SLOT}{place}: the reference's optimizer has no such slot"
            for place in values
            if place not in names.values() and f"{SLOT}{place}" not in waived
        ]
        loose += [
            f"{SLOT}{name}: the port's optimizer has no such slot"
            for name in expected
            if name not in names and f"{SLOT}{name}" not in waived
        ]
        loose += [
            f"{SLOT}{o}: no slot of a parameter" for o in others if f"{SLOT}{o}" not in waived
        ]
        return cls(side, names, values, loose)

    def canonical(self) -> dict[str, dict[str, np.ndarray]]:
        """The matched slots, by PyTorch's names, in canonical form."""
        return {
            name: canonical_part(self.side.bridge, self.values[place])
            for name, place in self.names.items()
        }


def _counts(value: Any) -> bool:
    """Whether it is a whole number: a counter of steps, by whatever name."""
    return np.ndim(value) == 0 and np.issubdtype(value.dtype, np.integer)


def _split(
    side: Side, optimizer: nnx.Optimizer[Any]
) -> tuple[dict[str, dict[str, np.ndarray]], list[str]]:
    """The state that mirrors the parameters, by place; and what does not, counters left out."""
    wanted = {tensor.full for b in side.bridge.parameters().bindings for tensor in b.flax.values()}
    values: dict[str, dict[str, np.ndarray]] = {}
    others = []
    for path, leaf in nnx.to_flat_state(nnx.state(optimizer)):
        words = [str(word) for word in path]
        value = leaf.get_value()
        if words[0] != "opt_state" or words[-1] in _COUNTERS or HYPERPARAMETERS in words:
            continue
        if not hasattr(value, "dtype") or _counts(value):  # optax.masked has no value for some
            continue
        ends = ["/".join(words[i:]) for i in range(1, len(words))]
        found = next((end for end in ends if end in wanted), None)
        if found is None:
            others.append("/".join(words[1:]))
            continue
        # optax.multi_transform keeps each group's slots apart; together they are one slot.
        place = _GROUP.sub("", "/".join(words[1:])[: -len(found) - 1])
        values.setdefault(place, {})[found] = host(value)
    return values, others
