"""The finished map between two models: arrays go either way by it."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, replace

import numpy as np

from parity.bridge.binding import Binding
from parity.bridge.declarations import Flatten, Waiver
from parity.bridge.errors import LoadError, check_names
from parity.bridge.places import Tensor


@dataclass(frozen=True)
class Mapping:
    """Which layer of the reference is which of the port, and how their weights lie.

    `modules` are the matched modules' paths, reference -> port, each in its own model's spelling;
    `by_shape` those matched by type and shape because their paths differ.
    """

    bindings: tuple[Binding, ...]
    by_shape: frozenset[str] = frozenset()
    waivers: tuple[Waiver, ...] = ()
    flattens: tuple[Flatten, ...] = ()
    reference_left_out: Dictionary[str, str] | None = None
    port_left_out: Dictionary[str, str] | None = None

    @property
    def modules(self) -> dict[str, str]:
        """Reference path -> port path of every matched layer."""
        return {b.site.reference.path: b.site.port.path for b in self.bindings}

    @property
    def lossy(self) -> dict[str, str]:
        """What is lost on the way to the port, by the reference's path."""
        return {b.site.reference.path: b.lossy for b in self.bindings if b.lossy}

    def to_flax(self, canonical: Dictionary[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Arrays in canonical form -> the port's names and layouts, bit by bit; copies.

        What is waived is not among them: load `{**export(port), **mapping.to_flax(arrays)}`.
        Raises LoadError unless the names and shapes are the reference's, less what is waived.
        """
        given = self._given(canonical, "the reference", [b.canonical for b in self.bindings])
        return self._all(b.to_flax(given) for b in self.bindings)

    def to_canonical(self, flax: Dictionary[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The port's arrays -> canonical form, bit by bit; copies. Raises LoadError."""
        return self._back(flax, gradients=False)

    def gradients_to_canonical(self, flax: Dictionary[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Gradients, or momenta, of the port's parameters -> the reference's. Raises LoadError.

        Parameters only. A lossy layer's go another way than its weights: two parameters of the
        reference that are one of the port both have the gradient of that one.
        """
        return self.parameters()._back(flax, gradients=True)

    def parameters(self) -> Mapping:
        """The same map without buffers: for what exists of parameters only, as optimizer slots."""
        bindings = (b.parameters() for b in self.bindings)
        return replace(self, bindings=tuple(b for b in bindings if b.canonical or b.flax))

    def table(self) -> str:
        """The map for people: a line a layer, then what is lossy, flattened, waived, left out."""
        rows = [(b.site.reference.path or ".", b.site.port.path or ".", b) for b in self.bindings]
        width = max((len(ours) for ours, _, _ in rows), default=0)
        width_there = max((len(theirs) for _, theirs, _ in rows), default=0)
        lines = []
        for ours, theirs, b in rows:
            shape = ", by type and shape" if b.site.reference.path in self.by_shape else ""
            lines.append(f"{ours:<{width}}  {theirs:<{width_there}}  {b.how}{shape}")
        lines += [f"{path}: {text}" for path, text in self.lossy.items()]
        lines += [f"{f.path}: its columns are flattened {f.shape} pictures" for f in self.flattens]
        lines += [f"waived: {w.name}: {w.reason}" for w in self.waivers]
        for side, left in (("reference", self.reference_left_out), ("port", self.port_left_out)):
            lines += [f"left out of the {side}: {n}: {why}" for n, why in (left or {}).items()]
        return "\n".join(lines)

    def _back(self, flax: Dictionary[str, np.ndarray], gradients: bool) -> dict[str, np.ndarray]:
        given = self._given(flax, "the port", [b.flax for b in self.bindings])
        return self._all(b.to_canonical(given, gradients) for b in self.bindings)

    def _given(
        self,
        arrays: Dictionary[str, np.ndarray],
        side: str,
        bound: Iterable[Dictionary[str, Tensor]],
    ) -> dict[str, np.ndarray]:
        """The arrays less what is waived, checked against the tensors that are bound."""
        waived = {w.name for w in self.waivers}
        given = {name: array for name, array in arrays.items() if name not in waived}
        tensors = {t.full: t for layer in bound for t in layer.values()}
        check_names(side, tensors, given)
        _check_shapes(tensors.values(), given)
        return given

    @staticmethod
    def _all(parts: Iterable[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        return {name: array for part in parts for name, array in part.items()}


def _check_shapes(tensors: Iterable[Tensor], arrays: Dictionary[str, np.ndarray]) -> None:
    for tensor in tensors:
        found, expected = arrays[tensor.full].shape, tensor.spec.shape
        if found != expected:
            raise LoadError(f"{tensor.full}: expected shape {expected}, found {found}")
