"""Native initialisations pooled over seeds. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from parity.capture.plan import INIT_NUMBERS, INIT_SAMPLE, INIT_SEEDS


def seeds_for(weights: Mapping[str, np.ndarray]) -> int:
    """How many initialisations of a model of this size are drawn."""
    numbers = sum(array.size for array in weights.values())
    return int(np.clip(INIT_NUMBERS // max(numbers, 1), 3, INIT_SEEDS))


class Initial:
    """The values of each float tensor over several initialisations."""

    def __init__(self, weights: Mapping[str, np.ndarray], seed: int) -> None:
        self._seed = seed
        self._values = {n: [a.ravel()] for n, a in weights.items() if a.dtype.kind == "f"}

    def add(self, weights: Mapping[str, np.ndarray]) -> None:
        """Pool one more initialisation."""
        for name, values in self._values.items():
            values.append(weights[name].ravel())

    def arrays(self) -> dict[str, np.ndarray]:
        """`init/NAME`: a sorted sample of each tensor's values, float32."""
        generator = np.random.default_rng(self._seed)
        arrays = {}
        for name, parts in self._values.items():
            values = np.concatenate(parts).astype(np.float32)
            if values.size > INIT_SAMPLE:
                values = generator.choice(values, INIT_SAMPLE, replace=False)
            arrays[f"init/{name}"] = np.sort(values)
        return arrays

    def statistics(self) -> dict[str, dict[str, Any]]:
        """Count, mean, standard deviation and range over all values."""
        found = {}
        for name, parts in self._values.items():
            values = np.concatenate(parts).astype(np.float64)
            if values.size:
                found[name] = {
                    "count": int(values.size), "seeds": len(parts), "mean": float(values.mean()),
                    "std": float(values.std()), "min": float(values.min()),
                    "max": float(values.max()),
                }  # fmt: skip
        return found
