"""What a run of the catalogue found, as data: docs/results/porting-bugs.json. NumPy only."""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiment.errors import UserError
from experiment.storage import write_atomically
from parity.bugs.run import RightPort
from parity.bugs.score import Finding
from parity.curves.typed_json import MismatchError, decode
from parity.verdict import Verdict

SCHEMA = 1


class ScorecardError(UserError):
    """A file that is no scorecard."""


@dataclass(frozen=True)
class Line:
    """One bug: what was expected and what was found."""

    row: int
    name: str
    subject: str
    detected: bool
    stage: str
    at_stage: bool
    layer: str
    at_layer: bool
    layer_expected: bool
    hint: int | None
    hint_right: bool | None
    """None where no pattern could tell the mistake."""
    text: str
    hint_text: str
    error: float | None
    """Normwise relative error of what departs first; None where there is no number."""
    missed: tuple[str, ...]


@dataclass(frozen=True)
class Scorecard:
    """A run of bugs and of the right ports that they were planted into."""

    schema: int
    date: str
    seconds: float
    where: Mapping[str, Any]
    right_ports: Mapping[str, str]
    """Subject -> '' where it passes, or what departs."""
    lines: tuple[Line, ...]

    @property
    def perfect(self) -> bool:
        """Nothing missed, no right port failed."""
        return not any(line.missed for line in self.lines) and not any(self.right_ports.values())

    @property
    def summary(self) -> tuple[str, ...]:
        """In a few lines for people."""
        rows = len({line.row for line in self.lines})
        layers = [line for line in self.lines if line.layer_expected]
        hints = [line for line in self.lines if line.hint_right is not None]
        passing = sum(not said for said in self.right_ports.values())
        total = len(self.lines)
        return (
            f"{total} bugs of {rows} rows of the catalogue, planted one at a time",
            f"detected: {sum(line.detected for line in self.lines)} of {total}",
            f"at the right stage: {sum(line.at_stage for line in self.lines)} of {total}",
            f"at the right layer: {sum(line.at_layer for line in layers)} of the {len(layers)} "
            "that are a layer's",
            f"hint right: {sum(line.hint_right is True for line in hints)} of the {len(hints)} "
            "that a pattern can tell",
            f"right ports that pass: {passing} of {len(self.right_ports)}",
        )


def scorecard(found: Sequence[Finding | RightPort], seconds: float) -> Scorecard:
    """From the findings of a run."""
    ports = [each for each in found if isinstance(each, RightPort)]
    findings = [each for each in found if isinstance(each, Finding)]
    verdicts = [each.verdict for each in found if each.verdict is not None]
    return Scorecard(
        schema=SCHEMA,
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        seconds=round(seconds, 1),
        where=where_of(verdicts[0]) if verdicts else {},
        right_ports={port.subject.name: port.said for port in ports},
        lines=tuple(map(_line, findings)),
    )


def _line(finding: Finding) -> Line:
    departure = finding.departure
    error = departure.row.error if departure and departure.row else None
    return Line(
        row=finding.bug.row,
        name=finding.bug.name,
        subject=finding.bug.subject.name,
        detected=finding.detected,
        stage=finding.stage,
        at_stage=finding.at_stage,
        layer=finding.layer,
        at_layer=finding.at_layer,
        layer_expected=bool(finding.bug.layer),
        hint=finding.hint,
        hint_right=finding.hint_right,
        text=finding.text,
        hint_text=departure.hint.text if departure and departure.hint else "",
        error=error if error and math.isfinite(error) else None,
        missed=finding.missed,
    )


def where_of(verdict: Verdict) -> dict[str, Any]:
    """Versions, device and threads of both sides."""
    sides = verdict.provenance["float64"]
    versions = {**sides["reference"]["versions"], **sides["port"]["versions"]}
    return {
        "python": sides["port"]["python"],
        "versions": dict(sorted(versions.items())),
        "device": sides["port"]["device"],
        "platform": sides["port"]["platform"],
    }


def write_scorecard(path: Path, card: Scorecard) -> None:
    """Write it as JSON, whole or not at all. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(dataclasses.asdict(card), indent=1) + "\n").encode())


def read_scorecard(path: Path) -> Scorecard:
    """Raises `ScorecardError` where the file holds none of this schema, and `OSError`."""
    try:
        data = json.loads(path.read_text())
        if data["schema"] != SCHEMA:
            raise ScorecardError(f"{path}: schema {data['schema']}, expected {SCHEMA}")
        return decode(Scorecard, data)
    except (ValueError, KeyError, TypeError, MismatchError) as error:
        raise ScorecardError(
            f"{path}: no scorecard: {error}; `python -m parity bugs --out {path}` writes one"
        ) from error
