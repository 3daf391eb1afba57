"""What many runs of right pairs found, by pair, lane and stage. Standard library only.

The file is the memory of the measurement: it holds which seeds of which pair were verified, so that
an interrupted measurement goes on where it stopped.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from experiment.errors import UserError
from experiment.storage import write_atomically
from parity.verdict import StageResult, Verdict

SCHEMA = 1
"""Version of the file."""

Tally = dict[str, Any]


class TallyError(UserError):
    """A file that is no tally, or runs that cannot be counted together."""


def empty() -> Tally:
    """Nothing measured yet."""
    return {"schema": SCHEMA, "pairs": {}}


def read_tally(path: Path) -> Tally:
    """The file's tally, an empty one where there is none. Raises `TallyError` naming the file."""
    if not path.exists():
        return empty()
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise TallyError(f"{path}: is not JSON: {error}; move it away to begin anew") from error
    schema = found.get("schema") if isinstance(found, dict) else None
    if schema != SCHEMA:
        raise TallyError(f"{path}: found schema {schema!r}, expected {SCHEMA}; move it away")
    return found


def write_tally(path: Path, tally: Tally) -> None:
    """Whole or not at all. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(tally, indent=1) + "\n").encode())


def seeds_of(tally: Tally, pair: str) -> list[int]:
    """Seeds with which the pair, as a command names it, was verified already."""
    return tally["pairs"].get(pair, {}).get("seeds", [])


def add(tally: Tally, pair: str, verdict: Verdict, where: Tally) -> Tally:
    """The tally with one more run; `where` says on what it ran (versions, device, threads, code).

    Raises `TallyError` for a seed that is in it, and for a run made elsewhere than the others.
    """
    tally = copy.deepcopy(tally)
    entry = tally["pairs"].setdefault(
        pair, {"name": verdict.pair, "seeds": [], "failed": [], "where": where, "stages": {}}
    )
    if verdict.seed in entry["seeds"]:
        raise TallyError(f"{pair}: seed {verdict.seed} is counted already")
    if entry["where"] != where:
        raise TallyError(
            f"{pair}: its other seeds ran with {entry['where']}, this one with {where}; take the "
            "pair out of the file to measure it anew"
        )
    entry["seeds"] = sorted([*entry["seeds"], verdict.seed])
    entry["last"] = max(verdict.date, entry.get("last", ""))
    entry["failed"] += [] if verdict.passed else [verdict.seed]
    for result in verdict.results:
        lanes = entry["stages"].setdefault(result.stage, {})
        lanes[result.lane] = _counted(lanes.get(result.lane), result, verdict.seed)
    return tally


def _counted(before: Tally | None, result: StageResult, seed: int) -> Tally:
    """One stage in one lane with one more run."""
    found = before or {"pass": 0, "waived": 0, "skipped": 0, "fail": 0, "needed": None}
    found[result.status] += 1
    if result.status == "fail":
        found.setdefault("failures", []).append({"seed": seed, "summary": result.summary})
    needed = result.needed
    if needed is not None and (found["needed"] is None or needed > found["needed"]):
        tensor = result.worst.name if result.worst else ""
        found |= {"needed": needed, "allowed": result.tolerance, "seed": seed, "tensor": tensor}
    return found
