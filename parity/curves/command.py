"""`python -m parity curves`. Imports little: every command of the harness imports it."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from parity.curves.comparison import Comparison, ComparisonError
from parity.report.command import add_switch

if TYPE_CHECKING:
    from parity.curves.results import Results

OUT = Path("runs/curves")


def run(arguments: argparse.Namespace) -> int:
    """Returns the exit code: 0 where they are equivalent, else 1. Raises `UserError`, `OSError`."""
    from parity.curves.run import compare
    from parity.curves.screen import render
    from parity.progress import shown
    from parity.report.command import FOLDER
    from parity.report.inputs import Inputs
    from parity.report.sections.wall import read_pictures
    from parity.report.write import remove_report, write_report

    if arguments.jobs < 1:
        raise ComparisonError(f"--jobs: found {arguments.jobs}, expected 1 or more")
    names = [field.name for field in dataclasses.fields(Comparison)]
    if not arguments.no_report:
        remove_report(arguments.out / FOLDER)
    comparison = Comparison(**{name: getattr(arguments, name) for name in names})
    with shown() as report:
        found = compare(comparison, arguments.out, arguments.jobs, report)
    print(render(found))
    for page in arguments.page:
        fill(page, arguments.out, found)
    print(f"\nresults and figures written to {arguments.out}")
    if not arguments.no_report:
        images = read_pictures(found, None)
        page = write_report(arguments.out / FOLDER, Inputs(curves=found), images)
        print(f"report written to {page}")
    return found.exit_code


def fill(page: Path, folder: Path, found: Results) -> None:
    """The results between the page's marks, their file and figures in the folder beside it.

    `folder` has the figures. Raises `ResultsError` where the page lacks the marks, and `OSError`.
    """
    from experiment.results import fill_page
    from experiment.storage import write_atomically
    from parity.curves import results, screen

    beside = page.with_suffix("")
    text = fill_page(page.read_text(), screen.page(found, beside.name), screen.MARKS, str(page))
    results.write(beside / "curves.json", results.without_paths(found))
    for name in ("curves.png", "divergence.png"):
        write_atomically(beside / name, (folder / name).read_bytes())
    write_atomically(page, text.encode())


def add_to(parser: argparse.ArgumentParser) -> None:
    """The command's options, and what runs it."""
    parser.set_defaults(run=run)
    add, usual = parser.add_argument, Comparison()
    add("--seeds", type=int, default=usual.seeds, metavar="N",
        help="trainings of each framework (default: %(default)s)")  # fmt: skip
    add("--epochs", type=int, default=usual.epochs, metavar="N", help="(default: %(default)s)")
    add("--train-limit", type=int, metavar="N", help="train on the first N training pictures only")
    add("--test-limit", type=int, metavar="N", help="test on the first N test pictures only")
    add("--data", default=usual.data, help="pictures, as for the training commands")
    add("--device", choices=("auto", "cpu", "gpu"), default=usual.device)
    add("--noise-runs", type=int, default=usual.noise_runs, metavar="R",
        help="runs of the reference moved by one ulp (default: %(default)s)")  # fmt: skip
    add("--replicas", action="store_true",
        help="train all seeds of the port at once, in one program; for a GPU")  # fmt: skip
    add("--jobs", type=int, default=1, metavar="N",
        help="trainings at once, each with its share of the cores; the share counts as part of "
             "what a training is")  # fmt: skip
    add("--out", type=Path, default=OUT, metavar="DIR",
        help="folder to work in and to go on in (default: %(default)s)")  # fmt: skip
    add("--page", type=Path, action="append", default=[], metavar="FILE",
        help="put the results into this page, between its marks")  # fmt: skip
    add_switch(parser)
    _add_fixed(parser.add_argument_group("fixed before the first training"), usual)
    _add_planted(parser.add_argument_group("self-tests of the statistics"))


def _add_fixed(group: argparse._ArgumentGroup, usual: Comparison) -> None:
    texts = {
        "alpha": "chance of a wrong claim",
        "accuracy_margin": "percentage points that count as no difference",
        "loss_margin": "nats that count as no difference",
        "envelope_factor": "times the noise runs that the port may go in the first epoch",
    }
    for name, text in texts.items():
        option, default = f"--{name.replace('_', '-')}", getattr(usual, name)
        said = f"{text} (default: %(default)s)"
        group.add_argument(option, type=float, metavar="X", default=default, help=said)


def _add_planted(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--port-learning-rate", type=float, metavar="X", help="the port's, instead of 0.01")
    add("--port-drop-last", action="store_true", help="the port leaves short batches out")
    add("--port-is-reference", action="store_true", help="the same arm twice")
