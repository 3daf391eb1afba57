"""How the port's outputs lie against the canonical ones, by `Pair.port_outputs`. NumPy only.

The function is applied to numbered elements once: so cotangents and oracle's outputs go back by it
too, though the pair only says the one direction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from parity.capture.leaves import change_leaves, leaves
from parity.capture.start import is_numpy
from parity.pair import Pair, PairError
from parity.user_code import call


class OutputLayout:
    """The way between the port's outputs and the canonical ones."""

    def __init__(self, pair: Pair, outputs: Any) -> None:
        """Raises `PairError` unless `port_outputs` only moves elements."""
        self._outputs = outputs
        given = leaves(outputs, is_numpy)
        sizes = [array.size for array in given.values()]
        starts = dict(zip(given, np.cumsum([0, *sizes[:-1]]), strict=True))
        numbered = change_leaves(
            outputs, is_numpy, lambda n, a: np.arange(a.size).reshape(a.shape) + starts[n]
        )
        self._starts, self._total = starts, sum(sizes)
        self._places = leaves(call(pair, "port_outputs", pair.port_outputs, numbered), is_numpy)
        moved = [places.ravel() for places in self._places.values()]
        if not moved or not np.array_equal(np.sort(np.concatenate(moved)), np.arange(self._total)):
            raise PairError(
                f"pair {pair.name!r}: port_outputs does more than move elements; expected a "
                "function of arrays that transposes or renames, such as parity.channels_first"
            )

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The canonical outputs' shapes, by leaf name."""
        return {name: places.shape for name, places in self._places.items()}

    def zeros(self) -> dict[str, np.ndarray]:
        """Zeros for each of the port's leaves, by its own names."""
        own = leaves(self._outputs, is_numpy)
        return {name: np.zeros_like(array) for name, array in own.items()}

    def to_canonical(self, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The port's leaves, by its own names -> canonical ones."""
        flat = np.concatenate([np.ravel(outputs[name]) for name in self._starts])
        own = leaves(self._outputs, is_numpy)
        kinds = {name: own[name].dtype for name in own}
        found = {name: flat[places] for name, places in self._places.items()}
        if len(set(kinds.values())) == 1:
            return found
        # Outputs of several dtypes: each canonical leaf is in one of the port's.
        ends = np.array([*self._starts.values()])
        names = list(self._starts)
        for name, places in self._places.items():
            if places.size:
                source = names[int(np.searchsorted(ends, places.flat[0], side="right")) - 1]
                found[name] = found[name].astype(np.asarray(outputs[source]).dtype)
        return found

    def to_port(self, canonical: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Canonical leaves -> the port's, by its own names and shapes; missing ones are zeros."""
        flat = np.zeros(self._total)
        for name, places in self._places.items():
            if name in canonical:
                flat[places.ravel()] = np.ravel(canonical[name])
        own = leaves(self._outputs, is_numpy)
        return {
            name: flat[start : start + own[name].size].reshape(own[name].shape)
            for name, start in self._starts.items()
        }
