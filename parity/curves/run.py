"""Runs a comparison from its recipe to its results. The parent process: NumPy and SciPy only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from parity.capture.processes import run as run_processes
from parity.curves import figures, results
from parity.curves.collect import check_alike, collect
from parity.curves.comparison import Comparison, ComparisonError, fix
from parity.curves.layout import Layout, sides
from parity.curves.records import Probe, read
from parity.curves.results import Results
from parity.curves.schedule import Schedule
from parity.curves.trainings import state, wanted

PATIENCE = 3600.0
"""Seconds without a word from a process after which it counts as hung: on a GPU an epoch is one
program that says nothing, and so it is while it compiles."""

Report = Callable[[str], None]


def compare(comparison: Comparison, folder: Path, jobs: int, report: Report) -> Results:
    """Train what is missing, judge, and leave results and figures in `folder`.

    Raises `UserError` where something cannot be done, or does not belong together, and `OSError`.
    """
    layout, both = Layout(folder), sides(comparison)
    with _alone_in(folder):
        fix(comparison, layout.comparison)
        schedule = Schedule(comparison, layout, jobs)
        run_processes(schedule.jobs("probe", both), report, PATIENCE)
        probes = {side: read(layout.probe(side), Probe) for side in both}
        check_alike(layout, both, list(probes.values()))
        all_of_them = [wanted(comparison, layout, side) for side in both]
        in_turn = [one for pair in zip(*all_of_them, strict=True) for one in pair]
        states = {one: state(one, probes[one.side].surroundings) for one in in_turn}
        missing = [one for one in in_turn if states[one] != "finished"]
        report(f"{len(in_turn) - len(missing)} of {len(in_turn)} trainings are there")
        run_processes(schedule.jobs("epochs", both), report, PATIENCE)
        run_processes(schedule.trainings(missing), report, PATIENCE)
        run_processes(schedule.jobs("answer", both), report, PATIENCE)
        report("judging")
        found = collect(comparison, layout, both)
        figures.draw_curves(folder / "curves.png", found)
        figures.draw_divergence(folder / "divergence.png", found)
        results.write(layout.results, found)
    return found


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Raise `ComparisonError` where another comparison is at work in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:  # Windows has no such locks
        yield
        return
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ComparisonError(
                f"{folder}: another comparison is at work in it; wait for it, or choose another "
                "--out"
            ) from error
        yield
