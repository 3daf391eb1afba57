"""One layer of the reference tied to one of the port, and the way of their arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from parity.bridge.places import Tensor
from parity.bridge.rules.rule import Arrays, Rule, Site


@dataclass(frozen=True)
class Binding:
    """Two layers, the rule between them, and their tensors by local name."""

    site: Site
    rule: Rule
    how: str
    canonical: Mapping[str, Tensor]
    flax: Mapping[str, Tensor]
    flatten: tuple[int, int, int] | None = None

    @property
    def lossy(self) -> str:
        """What is lost on the way to the port, or ''."""
        return self.rule.lossy(self.site)

    def to_flax(self, canonical: Arrays) -> dict[str, np.ndarray]:
        """This layer's share of the canonical arrays, in the port's names and layouts."""
        arrays = {local: canonical[t.full] for local, t in self.canonical.items()}
        if self.flatten:
            arrays["weight"] = _columns_last(arrays["weight"], self.flatten)
        return self._copies(self.rule.to_flax(arrays, self.site), self.flax)

    def to_canonical(self, flax: Arrays, gradients: bool = False) -> dict[str, np.ndarray]:
        """This layer's share of the port's arrays, in canonical form."""
        arrays = {local: flax[t.full] for local, t in self.flax.items()}
        back = (gradients and self.rule.gradient_to_canonical) or self.rule.to_canonical
        canonical = back(arrays, self.site)
        if self.flatten:
            canonical["weight"] = _columns_first(canonical["weight"], self.flatten)
        return self._copies(canonical, self.canonical)

    def parameters(self) -> Binding:
        """The binding without its buffers."""
        canonical, flax = (
            {local: t for local, t in side.items() if t.spec.role == "parameter"}
            for side in (self.canonical, self.flax)
        )
        return replace(self, canonical=canonical, flax=flax)

    @staticmethod
    def _copies(arrays: Arrays, tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
        return {t.full: np.array(arrays[local], order="C") for local, t in tensors.items()}


def _columns_last(weight: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """(out, C*H*W) -> (out, H*W*C)"""
    return weight.reshape(-1, *shape).transpose(0, 2, 3, 1).reshape(len(weight), -1)


def _columns_first(weight: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    channels, height, width = shape
    picture = weight.reshape(-1, height, width, channels)
    return picture.transpose(0, 3, 1, 2).reshape(len(weight), -1)
