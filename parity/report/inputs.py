"""What a report is made of: the harness's files, found in folders, of one run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiment.benchmark_results import BenchmarkResults
from experiment.benchmark_results import read as read_benchmarks
from experiment.errors import UserError
from parity.bugs.scorecard import Scorecard, read_scorecard
from parity.curves.results import Results
from parity.curves.results import read as read_curves
from parity.verdict import Verdict
from parity.verdict_file import read_verdict

TWINS = "cifar10_cnn"
"""The pair whose trainings `python -m parity curves` compares."""


class ReportInputError(UserError):
    """Folders without anything to report, or files that do not belong together."""


@dataclass(frozen=True)
class _Kind:
    field: str
    pattern: str
    """Of the files' names."""
    read: Callable[[Path], Any]
    command: str
    """What writes such a file."""


KINDS = (
    _Kind("verdict", "verdict.json", read_verdict, "python -m parity verify PAIR"),
    _Kind("curves", "curves.json", read_curves, "python -m parity curves"),
    _Kind("benchmarks", "benchmarks*.json", read_benchmarks, "python -m benchmarks"),
    _Kind("scorecard", "porting-bugs.json", read_scorecard, "python -m parity bugs"),
)


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """At most one of each kind; at least one of all. Benchmarks: at most one a device."""

    verdict: Verdict | None = None
    curves: Results | None = None
    benchmarks: tuple[BenchmarkResults, ...] = ()
    scorecard: Scorecard | None = None


def read_inputs(places: Sequence[Path]) -> Inputs:
    """From folders, and from files by name.

    Raises `ReportInputError` where a place holds nothing of the harness, where two files are of one
    kind, and where files are of different code, data or pairs; and the `UserError` of a file that
    is missing, cut off or foreign. Raises `OSError`.
    """
    found: dict[str, list[tuple[Path, Any]]] = {kind.field: [] for kind in KINDS}
    for path, kind in _files(places):
        if path.resolve() not in [other.resolve() for other, _ in found[kind.field]]:
            found[kind.field].append((path, kind.read(path)))
    _check_single(found)
    _check_same_run(found)
    one = {field: files[0][1] for field, files in found.items() if files and field != "benchmarks"}
    return Inputs(**one, benchmarks=tuple(content for _, content in found["benchmarks"]))


def _files(places: Iterable[Path]) -> list[tuple[Path, _Kind]]:
    return [each for place in places for each in _files_of(place)]


def _files_of(place: Path) -> list[tuple[Path, _Kind]]:
    if place.is_dir():
        inside = [(path, kind) for kind in KINDS for path in sorted(place.glob(kind.pattern))]
        if not inside:
            raise ReportInputError(f"{place}: nothing to report in it; expected {_expected()}")
        return inside
    if not place.exists():
        raise ReportInputError(
            f"{place}: no such folder or file; expected a folder with {_expected()}"
        )
    kind = next((kind for kind in KINDS if place.match(kind.pattern)), None)
    if kind is None:
        raise ReportInputError(f"{place}: found a file of another name, expected {_expected()}")
    return [(place, kind)]


def _expected() -> str:
    return "some of " + ", ".join(f"{kind.pattern} ({kind.command})" for kind in KINDS)


def _check_single(found: dict[str, list[tuple[Path, Any]]]) -> None:
    for field, files in found.items():
        seen: dict[str, Path] = {}
        for path, content in files:
            key = content.device if field == "benchmarks" else ""
            if key in seen:
                raise ReportInputError(
                    f"{seen[key]} and {path}: two of one kind, expected one; "
                    "a report is of one run: name the folders of one"
                )
            seen[key] = path


def _check_same_run(found: dict[str, list[tuple[Path, Any]]]) -> None:
    if not found["verdict"] or not found["curves"]:
        return
    (verdict_file, verdict), (curves_file, curves) = found["verdict"][0], found["curves"][0]
    for what, of_verdict, of_curves in _compared(verdict, curves):
        if of_verdict != of_curves:
            raise ReportInputError(
                f"{verdict_file} and {curves_file}: of different runs: {what}: found {of_verdict} "
                f"and {of_curves}; make both with the same code and pictures"
            )


def _compared(verdict: Verdict, curves: Results) -> list[tuple[str, Any, Any]]:
    """What a verdict and a comparison of trainings both know: name, value of either."""
    rows: list[tuple[str, Any, Any]] = [("pair", verdict.pair, TWINS)]
    if verdict.pair != TWINS:
        return rows
    sides = verdict.provenance[verdict.lanes[0]]
    for side, arm in (("reference", curves.reference), ("port", curves.port)):
        if arm.framework == sides[side]["framework"]:  # not the reference in the port's place
            rows.append((f"code of the {side}", sides[side]["code"], arm.code))
    settings = verdict.config.get("reference", {})
    rows.append(("pictures (sha256)", settings.get("data_sha256"), curves.pictures.sha256))
    return rows
