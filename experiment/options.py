"""What the training commands can be asked; the same for both frameworks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from experiment.errors import UserError
from experiment.recipe import Recipe

NATIVE = "native"
"""`--init` value for the framework's own random initialisation."""


class DeviceError(UserError):
    """The device that was asked for is not there."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Train the CIFAR-10 CNN."""

    recipe: Recipe = field(default_factory=Recipe)
    data: str = "auto"
    """auto ($CIFAR10_DIR, else the cache, else download, else the synthetic stand-in), cifar10, \
synthetic, or a path: a folder or tar.gz with CIFAR-10 in binary or python layout, or a folder \
prepared by tensorflow-datasets."""
    init: str = NATIVE
    """native, or a weights.safetensors file in canonical form to start from."""
    out: Path | None = None
    """Run folder; by default a new one under runs/."""
    resume: bool = False
    """Continue the run in --out after its last good checkpoint, by the run's own recipe; only \
--epochs may be raised."""
    device: Literal["auto", "cpu", "gpu"] = "auto"
    """Where to train; auto takes a GPU if the framework has one."""
    tensorboard: bool = False
    """Also write TensorBoard event files into the run folder."""
