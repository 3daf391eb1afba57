"""How small a numeric mistake may be and still be seen, by stage. NumPy only.

A knob turns one number of a right port by a relative size. A stage sees a size where it fails there
and at every larger one that was tried.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiment.errors import UserError
from experiment.storage import write_atomically
from parity.bugs.catalogue import all_subjects
from parity.bugs.run import capture_all, judged
from parity.bugs.scorecard import where_of
from parity.capture.processes import Report
from parity.stages.names import STAGES
from parity.verdict import Verdict

SCHEMA = 1

SIZES = (1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12)
"""Relative sizes that are tried, the largest first."""


class SensitivityError(UserError):
    """A file that holds no limits."""


@dataclass(frozen=True)
class Knob:
    """One number of a right port, and the part that turns it by a relative size."""

    title: str
    subject: str
    part: str
    function: str

    def port(self, size: float) -> str:
        """The port's name for `parity.bugs.ports.named_pair`."""
        return f"{self.part}={self.function}:{size:g}"


@dataclass(frozen=True)
class Limit:
    """The smallest size that each stage sees, and where that stage looked first."""

    title: str
    stages: Mapping[str, float]
    says: Mapping[str, str]
    """Stage -> its words at that size."""


@dataclass(frozen=True)
class Limits:
    """A whole measurement."""

    schema: int
    date: str
    where: Mapping[str, Any]
    sizes: tuple[float, ...]
    limits: tuple[Limit, ...]


def measure(knobs: Sequence[Knob], report: Report, sizes: Sequence[float] = SIZES) -> Limits:
    """Capture every knob at every size, and judge. Raises `UserError`."""
    ports: dict[str, list[str]] = {}
    for knob in knobs:
        ports.setdefault(knob.subject, []).extend(knob.port(size) for size in sizes)
    subjects = {subject.name: subject for subject in all_subjects()}
    with tempfile.TemporaryDirectory(prefix="parity-limits-") as name:
        folder = Path(name)
        capture_all(folder, ports, report)
        verdicts = {
            (knob, size): _judged(folder, subjects[knob.subject], knob, size)
            for knob in knobs
            for size in sizes
        }
    return Limits(
        schema=SCHEMA,
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        where=where_of(next(iter(verdicts.values()))),
        sizes=tuple(sizes),
        limits=tuple(limit(knob, {s: verdicts[knob, s] for s in sizes}) for knob in knobs),
    )


def _judged(folder: Path, subject: Any, knob: Knob, size: float) -> Verdict:
    verdict, refusal = judged(folder, subject, knob.port(size))
    if verdict is None:
        raise SensitivityError(f"{knob.title} off by {size:g} could not be compared: {refusal}")
    return verdict


def limit(knob: Knob, verdicts: Mapping[float, Verdict]) -> Limit:
    """From the verdicts by size."""
    stages: dict[str, float] = {}
    says: dict[str, str] = {}
    for stage in STAGES:
        for size in sorted(verdicts, reverse=True):
            result = next((r for r in verdicts[size].results if r.stage == stage), None)
            if result is None or result.status != "fail":  # pairs without training lack stages
                break
            stages[stage] = size
            says[stage] = result.departure.text if result.departure else result.summary
    return Limit(knob.title, stages, says)


def table(limits: Limits) -> str:
    """In Markdown: a knob a line, a stage a column; only the stages that see any."""
    seen = [stage for stage in STAGES if any(stage in each.stages for each in limits.limits)]
    rows = [
        f"| {each.title} | " + " | ".join(_size(each.stages.get(stage)) for stage in seen) + " |"
        for each in limits.limits
    ]
    head = ["| relative change of | " + " | ".join(seen) + " |", "|---|" + "--:|" * len(seen)]
    tried = ", ".join(f"{size:g}" for size in limits.sizes)
    return "\n".join(
        [
            "## Detection limits",
            "",
            "The smallest relative change of one number that each stage still sees in float64; "
            f"tried were {tried}.",
            "Empty: that stage sees none of them. `python -m parity bugs --sensitivity`.",
            "",
            *head,
            *rows,
            "",
        ]
    )


def _size(size: float | None) -> str:
    return "" if size is None else f"{size:.0e}"


def write_limits(path: Path, limits: Limits) -> None:
    """As JSON, whole or not at all. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(dataclasses.asdict(limits), indent=1) + "\n").encode())


def read_limits(path: Path) -> Limits:
    """Raises `SensitivityError` where the file holds none of this schema, and `OSError`."""
    try:
        data = json.loads(path.read_text())
        if data["schema"] != SCHEMA:
            raise SensitivityError(f"{path}: schema {data['schema']}, expected {SCHEMA}")
        found = tuple(Limit(**each) for each in data["limits"])
        return Limits(**{**data, "sizes": tuple(data["sizes"]), "limits": found})
    except (ValueError, KeyError, TypeError) as error:
        raise SensitivityError(
            f"{path}: no detection limits: {error}; `python -m parity bugs --sensitivity` "
            "measures them"
        ) from error
