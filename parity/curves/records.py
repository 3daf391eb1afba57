"""What the processes of a comparison write down for it, a file a job. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from parity.curves import files

PROBE = "cifar10-parity curves: surroundings"
LOSSES = "cifar10-parity curves: losses of an epoch"
ANSWERS = "cifar10-parity curves: answers to the test pictures"

_ADVICE = "remove it and run the same command again"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """On what, and with what, a framework computes: numbers of other surroundings are others."""

    framework: str
    versions: dict[str, str]
    python: str
    device: str
    precision: dict[str, str]
    threads: int
    code: dict[str, str]
    data_sha256: str

    def differences(self, other: Surroundings) -> list[str]:
        """One line for every field: 'name: mine here, theirs there'."""
        return [
            f"{name}: {value} here, {getattr(other, name)} there"
            for name, value in vars(self).items()
            if value != getattr(other, name)
        ]


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What a framework's process finds when it starts."""

    surroundings: Surroundings
    platform: str
    official: bool
    synthetic: bool
    notice: str | None
    train_size: int
    test_size: int
    test_labels: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Losses:
    """The first epoch from the shared weights."""

    surroundings: Surroundings
    weights_sha256: str
    """Of the shared weights, before they were moved."""
    noise_run: int
    """0: from the weights as they are."""
    losses: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one trained network says of the test pictures, in their order."""

    seed: int
    weights_sha256: str
    """Of its file of weights."""
    answers: tuple[int, ...]
    probabilities: tuple[float, ...]
    """That it gives its own answer."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """One framework's networks."""

    surroundings: Surroundings
    networks: tuple[Answer, ...]


def write(path: Path, record: Probe | Losses | Answers) -> None:
    """Replace the file. Raises `OSError`."""
    files.write(path, _FORMATS[type(record)], record)


def read(path: Path, kind: type[T]) -> T:
    """Raises `CurvesFileError` naming the file."""
    return files.read(path, _FORMATS[kind], kind, _ADVICE)


_FORMATS: dict[type, str] = {Probe: PROBE, Losses: LOSSES, Answers: ANSWERS}
