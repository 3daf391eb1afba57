"""Capture the references once and every wrong port, and judge each. NumPy only."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiment.provenance import cores
from parity.bugs.bug import Bug, Subject
from parity.bugs.catalogue import subjects
from parity.bugs.files import Refusal, port_file, read_refusal, reference_file
from parity.bugs.ports import RIGHT
from parity.bugs.score import Finding
from parity.capture.capture_file import read_capture
from parity.capture.processes import Report, Task, environment, run
from parity.evidence import PROOF_LANE, LaneEvidence
from parity.judge import judge
from parity.verdict import Verdict

PORT_LINES = 2
"""Processes that capture ports at the same time; what they do is mostly compiling, on one core."""


@dataclass(frozen=True)
class RightPort:
    """What the harness said of a port without bug."""

    subject: Subject
    verdict: Verdict | None
    refusal: Refusal | None

    @property
    def passed(self) -> bool:
        """It has to."""
        return not self.said

    @property
    def said(self) -> str:
        """What departs, or why it could not be compared; '' where it passes."""
        if self.verdict is None:
            return self.refusal.text if self.refusal else "not compared"
        departure = self.verdict.first_departure
        return "" if self.verdict.passed else departure.text if departure else "a stage fails"


def find(chosen: Sequence[Bug], report: Report, seed: int = 0) -> Iterator[Finding | RightPort]:
    """Verify every right port and every bug; findings come when all are captured, by row.

    Raises `UserError` where a capture process crashes or a reference cannot be captured.
    """
    ports: dict[str, list[str]] = {}
    for bug in chosen:
        ports.setdefault(bug.subject.name, [RIGHT]).append(bug.name)
    with tempfile.TemporaryDirectory(prefix="parity-bugs-") as name:
        folder = Path(name)
        capture_all(folder, ports, report, seed)
        for subject in subjects(chosen):
            yield RightPort(subject, *judged(folder, subject, RIGHT))
        for bug in chosen:
            yield Finding(bug, *judged(folder, bug.subject, bug.name))


def capture_all(folder: Path, ports: dict[str, list[str]], report: Report, seed: int = 0) -> None:
    """Capture the references of subjects by name, and the ports named for each.

    Raises `UserError` where a process crashes, hangs or refuses a reference.
    """
    nonce = secrets.token_hex(8)
    common = [str(seed), nonce, "1"]
    # The longest first, so that the lines end together.
    names = sorted(ports, key=lambda name: -len(ports[name]))
    lines = [[_task("torch", folder, [*common, *names])]] + [[] for _ in range(PORT_LINES)]
    for name in names:
        shortest = min(lines[1:], key=lambda line: sum(len(task.arguments) for task in line))
        shortest.append(_task("jax", folder, [*common, name, *ports[name]]))
    run(lines, _counted(report, sum(map(len, ports.values()))))


def judged(folder: Path, subject: Subject, name: str) -> tuple[Verdict | None, Refusal | None]:
    """The proof lane's verdict on a port, or why it could not be compared."""
    if (refusal := read_refusal(folder, subject, name)) is not None:
        return None, refusal
    reference = read_capture(reference_file(folder, subject))
    port = read_capture(port_file(folder, subject, name))
    return judge([LaneEvidence(PROOF_LANE, reference, port)]), None


def _task(framework: str, folder: Path, arguments: list[str]) -> Task:
    settings = environment(framework, PROOF_LANE, cores())
    if framework == "jax":
        # Most of a wrong port's programs are those of the right port: compiled once, kept here.
        settings["JAX_COMPILATION_CACHE_DIR"] = str(folder / "compiled")
        settings["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    return Task(
        framework,
        PROOF_LANE,
        [framework, str(folder), *arguments],
        settings,
        module=("parity.bugs.capture",),
    )


def _counted(report: Report, ports: int) -> Callable[[str], None]:
    """Reports with how many ports are begun."""
    begun = 0

    def counted(line: str) -> None:
        nonlocal begun
        if line.startswith("JAX"):
            begun += 1
            line = f"{begun} of {ports}: {line.partition(': ')[2]}"
        report(line)

    return counted
