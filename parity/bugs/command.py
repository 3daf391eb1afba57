"""`python -m parity bugs`. NumPy only."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from experiment.results import fill_page
from experiment.storage import write_atomically
from parity.bugs.catalogue import choose, not_planted
from parity.bugs.knobs import KNOBS
from parity.bugs.page import page
from parity.bugs.run import find
from parity.bugs.scorecard import Scorecard, read_scorecard, scorecard, write_scorecard
from parity.bugs.screen import MARKS, listing, render, score_table
from parity.bugs.sensitivity import measure, read_limits, table, write_limits
from parity.progress import shown

RESULTS = Path("results/porting-bugs.json")
"""The scorecard, from the folder of the page that it belongs to."""

LIMITS = Path("results/porting-bugs-sensitivity.json")
"""The detection limits, from there too."""


def run(arguments: argparse.Namespace) -> int:
    """Returns the exit code: 0, or 1 where something was missed. Raises `UserError`, `OSError`."""
    chosen = choose(arguments.bugs)
    if arguments.list:
        print(listing(chosen, not_planted() if not arguments.bugs else ()))
        return 0
    if arguments.sensitivity:
        return _sensitivity(arguments)
    started = time.monotonic()
    with shown() as report:
        found = list(find(chosen, report, arguments.seed))
    card = scorecard(found, time.monotonic() - started)
    print(render(card))
    if arguments.out:
        write_scorecard(arguments.out, card)
    if arguments.docs:
        _write_docs(arguments.docs, card)
    for path in arguments.page:
        text = fill_page(path.read_text(), f"{score_table(card)}\n", MARKS, str(path))
        write_atomically(path, text.encode())
    return 0 if card.perfect else 1


def _sensitivity(arguments: argparse.Namespace) -> int:
    """Measure the detection limits; `--docs` keeps them for the page."""
    with shown() as report:
        limits = measure(KNOBS, report)
    print(table(limits))
    if arguments.out:
        write_limits(arguments.out, limits)
    if arguments.docs:
        write_limits(arguments.docs.parent / LIMITS, limits)
        if (arguments.docs.parent / RESULTS).exists():
            _write_page(arguments.docs, read_scorecard(arguments.docs.parent / RESULTS))
    return 0


def _write_docs(path: Path, card: Scorecard) -> None:
    """The page, and the scorecard that it comes from in the folder results beside it."""
    write_scorecard(path.parent / RESULTS, card)
    _write_page(path, card)


def _write_page(path: Path, card: Scorecard) -> None:
    chosen = choose([line.name for line in card.lines])
    limits = path.parent / LIMITS
    shown_limits = table(read_limits(limits)) if limits.exists() else ""
    text = page(card, chosen, not_planted(), RESULTS.as_posix(), shown_limits)
    write_atomically(path, text.encode())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add, each = parser.add_argument, "name, number, topic or 'fast'; without any, all of them"
    add("bugs", nargs="*", metavar="BUG", help=each)
    add("--list", action="store_true", help="print the catalogue and plant nothing")
    smallest = "measure how small a numeric mistake each stage still sees"
    add("--sensitivity", action="store_true", help=smallest)
    add("--out", type=Path, metavar="FILE", help="write the scorecard, as JSON")
    docs = f"write the page of all bugs, and {RESULTS.as_posix()} beside it"
    add("--docs", type=Path, metavar="FILE", help=docs)
    marked = "put the score into this page, between its marks"
    add("--page", type=Path, action="append", default=[], metavar="FILE", help=marked)
