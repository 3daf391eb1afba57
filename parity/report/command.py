"""`python -m parity report`. Imports little: every command of the harness imports it."""

from __future__ import annotations

import argparse
from pathlib import Path

FOLDER = "report"
"""Of the report that verify and curves write, beside their results."""


def run(arguments: argparse.Namespace) -> int:
    """Returns the exit code, 0. Raises `UserError`, `OSError`."""
    from parity.report.inputs import read_inputs
    from parity.report.sections.wall import read_pictures
    from parity.report.write import write_report

    inputs = read_inputs(arguments.places)
    images = None
    if inputs.curves is not None and not arguments.no_pictures:
        images = read_pictures(inputs.curves, arguments.data)
    print(f"report written to {write_report(arguments.out, inputs, images)}")
    return 0


def add_to(parser: argparse.ArgumentParser) -> None:
    """The command's options, and what runs it."""
    parser.set_defaults(run=run)
    parser.add_argument(
        "places", type=Path, nargs="+", metavar="DIR",
        help="folders with verdict.json, curves.json, benchmarks*.json, porting-bugs.json, or "
             "such files",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path(FOLDER), metavar="DIR",
                        help="folder of report.html, report.md and figures "
                             "(default: %(default)s)")  # fmt: skip
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--data", metavar="DATA",
                       help="the pictures that were trained on, as for the training commands; "
                            "default: where the comparison had them")  # fmt: skip
    which.add_argument("--no-pictures", action="store_true", help="leave the test pictures out")


def add_switch(parser: argparse.ArgumentParser) -> None:
    """For the commands that write a report of what they found."""
    parser.add_argument("--no-report", action="store_true", help="write no report.html")
