"""`python -m benchmarks`: time the trainings side by side. No framework in this process."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import page, plan
from benchmarks.processes import WORKERS, WorkerError, WorkerProcess
from benchmarks.run import Run, Settings
from experiment.benchmark_results import BenchmarkResults, write
from experiment.console import print_anywhere
from experiment.errors import EXIT_USER_ERROR, UserError
from experiment.provenance import git_state, package_versions

PICTURES = {"cpu": 1280, "gpu": 50_000}
"""Of one repeat, unless --steps says otherwise."""


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit code, 0 or 2; 130 where it was interrupted."""
    print_anywhere()
    options = _parse(argv)
    try:
        _measure(options)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USER_ERROR
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
        return EXIT_USER_ERROR
    except KeyboardInterrupt:
        print(f"\ninterrupted; what was measured is in {options.out}", file=sys.stderr)
        return 130
    return 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--out", type=Path, default=Path("benchmarks.json"), help="results")
    parser.add_argument(
        "--budget-minutes",
        type=float,
        default=9.0,
        help="what is not measured by then is left out, and says so",
    )
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument(
        "--steps", type=int, help="of one repeat at batch 32; other batches take as many pictures"
    )
    parser.add_argument("--batches", type=_numbers, default=plan.BATCHES, help="32,128,...")
    parser.add_argument("--replicas", type=_numbers, default=plan.REPLICAS, help="1,4,...")
    parser.add_argument("--only", default="", help="beginnings of row names, with commas")
    parser.add_argument(
        "--ten-epochs",
        action="store_true",
        help="run ten epochs where they would be extrapolated (always on a GPU)",
    )
    parser.add_argument(
        "--page",
        type=Path,
        help="page of the documents to write the table into, with results and plot beside it",
    )
    return parser.parse_args(argv)  # fmt: skip


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(",") if word)


def _measure(options: argparse.Namespace) -> None:
    pictures = 32 * options.steps if options.steps else PICTURES[options.device]
    settings = Settings(
        device=options.device,
        pictures=pictures,
        repeats=options.repeats,
        batches=options.batches,
        replicas=options.replicas,
        budget_minutes=options.budget_minutes,
        ten_epochs=options.ten_epochs or options.device == "gpu",
        only=tuple(word for word in options.only.split(",") if word),
    )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    run = Run(settings, _begun(settings), lambda r: write(options.out, r), _say)
    results = run.all()
    _say(f"written to {options.out}")
    for fast, slow in page.COMPARED:
        if (ratio := results.speedup(fast, slow)) is not None:
            _say(f"{fast} is {ratio:.2f} times as fast as {slow}")
    if options.page:
        page.publish(options.page, results)


def _say(text: str) -> None:
    print(text, flush=True)


def _begun(settings: Settings) -> BenchmarkResults:
    about: dict[str, dict[str, Any]] = {}
    for framework in ("PyTorch", "JAX"):
        with WorkerProcess(WORKERS) as worker:
            try:
                about[framework] = worker.ask("about", framework=framework, device=settings.device)
            except WorkerError as error:
                raise WorkerError(f"{framework} cannot run here: {error}") from error
    load = os.getloadavg()[0]
    packages = [name for described in about.values() for name in described["packages"]]
    return BenchmarkResults(
        started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        finished=False,
        device=about["JAX"]["device"],
        machine={
            "python": platform.python_version(),
            "platform": platform.platform(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "threads": {name: described["threads"] for name, described in about.items()},
        },
        versions=package_versions(tuple(packages)),
        git=git_state(),
        settings={
            "pictures_per_repeat": settings.pictures,
            "repeats": settings.repeats,
            "batches": list(settings.batches),
            "replicas": list(settings.replicas),
            "budget_minutes": settings.budget_minutes,
            "only": list(settings.only),
            "pictures": "random",
            "load_average_at_start": load,
        },
        notes=_notes(load),
    )


def _notes(load: float) -> tuple[str, ...]:
    if load < 0.3 * (os.cpu_count() or 1):
        return ()
    note = (
        f"The machine was busy with other work at the start (load average {load:.1f}): PyTorch's "
        "threads wait for each other at every operation and suffer most, so ratios flatter JAX."
    )
    print(f"note: {note}", file=sys.stderr, flush=True)
    return (note,)


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:  # not Linux
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.processor()
