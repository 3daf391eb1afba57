"""What a rule is: how one kind of layer's tensors go from PyTorch's layout to NNX's and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.bridge.structure import ModuleSpec

Arrays = Mapping[str, np.ndarray]
"""A layer's tensors by their names inside the layer: 'weight', or 'query/kernel'."""


@dataclass(frozen=True)
class Site:
    """Where a rule is applied: the two matched modules and, by path, what lies below them."""

    reference: ModuleSpec
    port: ModuleSpec
    reference_inside: Mapping[str, ModuleSpec]
    port_inside: Mapping[str, ModuleSpec]

    @property
    def settings(self) -> Mapping[str, Any]:
        """The reference layer's settings."""
        return self.reference.settings

    @property
    def port_settings(self) -> Mapping[str, Any]:
        """The port layer's settings."""
        return self.port.settings


Transform = Callable[[Arrays, Site], dict[str, np.ndarray]]


def _nothing_to_refuse(site: Site) -> str:
    return ""


@dataclass(frozen=True)
class Rule:
    """Two pure functions between the layouts of two classes, exact inverses of each other.

    `reference` and `port` are classes as `ModuleSpec.kind` spells them ('torch.nn.Linear',
    'my_port.Dense'); a class derived from them counts too; the port's may be '*', any.
    `whole` rules take all that lies below the two modules, others only what they hold themselves.
    `refuse` says why a site cannot be carried across, or ''. Where the way there loses something,
    `lossy` says what, and `gradient_to_canonical` is the way back for gradients if it differs.
    Transforms must do with tensors left out by a waiver, and must ignore none that they are given:
    raise KeyError for a name they do not know. The support table prints `note`, and `shown` for a
    port that is '*'.
    """

    reference: str
    port: str
    to_flax: Transform
    to_canonical: Transform
    whole: bool = False
    refuse: Callable[[Site], str] = _nothing_to_refuse
    lossy: Callable[[Site], str] = _nothing_to_refuse
    gradient_to_canonical: Transform | None = None
    note: str = ""
    shown: str = ""


@dataclass(frozen=True)
class Slot:
    """One tensor with its names and layouts on either side: `there(array, site)` and `back`."""

    canonical: str
    flax: str
    there: Callable[[np.ndarray, Site], np.ndarray]
    back: Callable[[np.ndarray, Site], np.ndarray]


def same(array: np.ndarray, site: Site) -> np.ndarray:
    """Either way: the layouts are equal."""
    return array


def rule_of_slots(reference: str, port: str, slots: tuple[Slot, ...], **options: Any) -> Rule:
    """A rule for a layer whose tensors go one to one."""
    there, back = {s.canonical: s for s in slots}, {s.flax: s for s in slots}

    def to_flax(arrays: Arrays, site: Site) -> dict[str, np.ndarray]:
        return {there[n].flax: there[n].there(a, site) for n, a in arrays.items()}

    def to_canonical(arrays: Arrays, site: Site) -> dict[str, np.ndarray]:
        return {back[n].canonical: back[n].back(a, site) for n, a in arrays.items()}

    return Rule(reference, port, to_flax, to_canonical, **options)
