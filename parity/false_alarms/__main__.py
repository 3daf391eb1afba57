"""Verify right pairs with many seeds, and count how often one fails.

    python -m parity.false_alarms gru=examples/gru/pair.py cifar10_cnn --seeds 20 \\
        --page docs/false-alarms.md

writes parity-false-alarms.json into the folder results beside the page after every run, and at the
end the page. Seeds that are in the file are not run again, so that it can be interrupted. A pair is
named as for `python -m parity verify`; NAME=PAIR says what the page calls it.

Exit code 0: no false alarm; 1: there are some; 2: could not run.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from experiment.errors import EXIT_USER_ERROR, UserError
from experiment.storage import write_atomically
from parity.false_alarms.page import page
from parity.false_alarms.tally import Tally, add, read_tally, seeds_of, write_tally
from parity.verdict import Verdict
from parity.verify import verify

RESULTS = Path("results/parity-false-alarms.json")
"""The tally, from the page's folder."""


def measure(named: str, seeds: int, file: Path) -> None:
    """Verify a pair, 'PAIR' or 'NAME=PAIR', with the seeds from 0 that are not in the file yet.

    Raises `UserError` where a run could not be made, and `OSError`.
    """
    name, _, pair = named.rpartition("=")
    name = name or pair
    for seed in range(seeds):
        if seed in seeds_of(read_tally(file), name):
            continue
        verdict = verify(pair, seed=seed)
        # Read again: another process may have written meanwhile.
        write_tally(file, add(read_tally(file), name, verdict, where(verdict)))
        print(_line(name, verdict), flush=True)


def where(verdict: Verdict) -> Tally:
    """On what the run was made: both sides' versions, machine and threads."""
    sides = verdict.provenance["float64"]
    versions = {**sides["reference"]["versions"], **sides["port"]["versions"]}
    return {
        "python": sides["reference"]["python"],
        "versions": dict(sorted(versions.items())),
        "device": "CPU",
        "threads": {side: about["threads"] for side, about in sides.items()},
        "platform": f"{platform.system()} {platform.machine()}",
    }


def _line(name: str, verdict: Verdict) -> str:
    failed = [r for r in verdict.results if r.status == "fail"]
    found = "; ".join(f"{r.stage}, {r.lane}: {r.summary}" for r in failed)
    return f"{name}, seed {verdict.seed}: {found or 'passes'}"


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        prog="python -m parity.false_alarms",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("pairs", nargs="*", metavar="PAIR", help="right pairs; without any, only "
                        "the page is written anew")  # fmt: skip
    parser.add_argument("--seeds", type=int, default=20, help="how many, from 0 (default: 20)")
    parser.add_argument("--page", type=Path, required=True, help="page to write")
    options = parser.parse_args(argv)
    file = options.page.parent / RESULTS
    try:
        for pair in options.pairs:
            measure(pair, options.seeds, file)
        tally = read_tally(file)
        write_atomically(options.page, page(tally, RESULTS.as_posix()).encode())
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USER_ERROR
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
        return EXIT_USER_ERROR
    return 1 if any(entry["failed"] for entry in tally["pairs"].values()) else 0


if __name__ == "__main__":
    sys.exit(main())
