"""`python -m parity bugs`. NumPy only."""

from __future__ import annotations

import argparse

from parity.bugs.catalogue import choose
from parity.bugs.run import RightPort, find
from parity.progress import shown


def run(arguments: argparse.Namespace) -> int:
    """Returns the exit code: 0, or 1 where something was missed. Raises `UserError`."""
    chosen = choose(arguments.bugs)
    missed = 0
    with shown() as report:
        found = list(find(chosen, report, arguments.seed))
    for each in found:
        if isinstance(each, RightPort):
            print(f"{each.subject.name}, right port: {'passes' if each.passed else 'FAILS'}")
            if not each.passed:
                missed += 1
                departure = each.verdict.first_departure if each.verdict else None
                print("   ", each.refusal or (departure and departure.text))
            continue
        print(f"{each.bug.row:3} {each.bug.name}: {each.stage} {each.layer} hint {each.hint}")
        if each.missed:
            missed += 1
            print("    MISSED:", "; ".join(each.missed), "|", each.text)
    return 1 if missed else 0
