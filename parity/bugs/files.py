"""Where the captures of a run of the catalogue are, and why one is missing. NumPy only."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from parity.bugs.bug import Subject


@dataclass(frozen=True)
class Refusal:
    """Why a port could not be compared at all; the command would end with exit code 2."""

    text: str
    stage: str
    """The stage that it belongs to; '' where it belongs to none."""


def reference_file(folder: Path, subject: Subject) -> Path:
    """The subject's reference."""
    return folder / f"{subject.name}.reference.safetensors"


def port_file(folder: Path, subject: Subject, name: str) -> Path:
    """A port of the subject."""
    return folder / f"{subject.name}.{name}.safetensors"


def write_refusal(folder: Path, subject: Subject, name: str, refusal: Refusal) -> None:
    """Instead of the port's capture."""
    _refusal_file(folder, subject, name).write_text(json.dumps(dataclasses.asdict(refusal)))


def read_refusal(folder: Path, subject: Subject, name: str) -> Refusal | None:
    """None where the port was captured."""
    file = _refusal_file(folder, subject, name)
    return Refusal(**json.loads(file.read_text())) if file.exists() else None


def _refusal_file(folder: Path, subject: Subject, name: str) -> Path:
    return folder / f"{subject.name}.{name}.refusal.json"
