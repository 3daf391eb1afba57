"""Who takes part in a comparison, and where each file of its folder is. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from parity.curves.comparison import Comparison


@dataclass(frozen=True)
class Side:
    """One arm of the comparison."""

    name: str
    """In names of files and folders."""
    framework: Literal["torch", "jax"]
    is_port: bool

    @property
    def title(self) -> str:
        """For people."""
        return "PyTorch" if self.framework == "torch" else "JAX"

    @property
    def command(self) -> str:
        """The module that trains."""
        return "torch_ref.train" if self.framework == "torch" else "jax_impl.train"


REFERENCE = Side("torch", "torch", is_port=False)
PORT = Side("jax", "jax", is_port=True)
STAND_IN = Side("torch-again", "torch", is_port=True)
"""The reference in the port's place."""

SIDES = {side.name: side for side in (REFERENCE, PORT, STAND_IN)}


def sides(comparison: Comparison) -> tuple[Side, Side]:
    """Reference and port."""
    return REFERENCE, STAND_IN if comparison.port_is_reference else PORT


@dataclass(frozen=True)
class Layout:
    """A comparison's folder."""

    folder: Path

    @property
    def comparison(self) -> Path:
        """Its recipe."""
        return self.folder / "comparison.json"

    @property
    def results(self) -> Path:
        """What it found."""
        return self.folder / "curves.json"

    @property
    def start(self) -> Path:
        """The weights that both sides share, canonical."""
        return self.folder / "shared" / "start.safetensors"

    def probe(self, side: Side) -> Path:
        """Where and with what the side computes."""
        return self.folder / "probe" / f"{side.name}.json"

    def losses(self, side: Side, noise_run: int) -> Path:
        """The side's first epoch from the shared weights."""
        return self.folder / "shared" / f"{side.name}-{noise_run}.json"

    def training(self, side: Side, seed: int) -> Path:
        """The run folder of one whole training."""
        return self.folder / "native" / f"{side.name}-seed-{seed}"

    def answers(self, side: Side) -> Path:
        """What the side's trained networks say."""
        return self.folder / "predictions" / f"{side.name}.json"
