"""`python -m parity capture`: one capture, in this process.

The frameworks are imported here and nowhere else in the harness's own process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from experiment.errors import EXIT_USER_ERROR, UserError
from parity.capture.capture_file import Capture, CaptureError, read_capture, write_capture
from parity.capture.plan import Job
from parity.capture.processes import ERROR, LAST_LINES
from parity.pair import Pair

_POLL_SECONDS = 0.05

_SECONDS_BETWEEN_SIGNS = 0.5
"""A process that waits gives signs of life, or it would count as hung. Where nobody reads them any
more, they end it."""

Report = Callable[[str], None]


class OrphanError(UserError):
    """The process that asked for this capture is gone."""


def capture_here(pair: Pair, framework: str, job: Job, report: Report) -> None:
    """Capture one side in this process and write it to `job.out`.

    A port awaits `job.start` and `job.oracle`, which another process writes. Raises `UserError`.
    """
    if framework == "torch":
        from parity.capture import from_torch

        oracle = checked(read_capture(job.oracle), pair, job) if job.oracle else None
        made = from_torch.capture(pair, job, report, oracle)
    else:
        made = _capture_port(pair, job, report)
    write_capture(job.out, made.about, made.arrays)


def _capture_port(pair: Pair, job: Job, report: Report) -> Capture:
    from parity.capture import from_jax

    assert job.oracle is not None  # `with_oracle` has seen to it
    oracle, parent = job.oracle, os.getppid()
    report("starting")
    if job.start is None:
        whole = read_capture(oracle)
        return from_jax.capture(pair, job, checked(whole, pair, job), lambda: whole, report)
    await_file(job.start, parent, report)
    begin = checked(read_capture(job.start), pair, job)

    def when_done() -> Capture:
        await_file(oracle, parent, report)
        return checked(read_capture(oracle), pair, job)

    return from_jax.capture(pair, job, begin, when_done, report)


def checked(oracle: Capture, pair: Pair, job: Job) -> Capture:
    """The oracle, if it is one of this pair, seed and run. Raises `CaptureError`."""
    wanted = {"side": "reference", "lane": "float64", "pair": pair.name, "seed": job.seed}
    wanted["nonce"] = job.nonce
    for key, expected in wanted.items():
        found = oracle.about.get(key)
        if found != expected:
            raise CaptureError(
                f"{oracle.where}: {key}: found {found!r}, expected {expected!r}; --oracle takes "
                "the capture of this pair's reference in float64, with the same seed"
            )
    if "timeline" not in oracle.about:
        raise CaptureError(f"{oracle.where}: its header lacks the timeline; capture it again")
    return oracle


def make_oracle(pair_arguments: Sequence[str | None], job: Job) -> Path:
    """Capture the reference in float64, in a process of its own, beside `job.out`.

    `pair_arguments` say which pair; None stands for one that has no name to be found by. Raises
    `CaptureError` for that, and with the other process's last words.
    """
    named = [word for word in pair_arguments if word is not None]
    if len(named) < len(pair_arguments):
        raise CaptureError(
            "a pickled pair (--pickled) comes without its oracle: no --oracle is given, and none "
            f"can be made beside {job.out}; capture its reference first (--framework torch --lane "
            "float64) and give that file: --oracle FILE"
        )
    out = job.out.with_name(f"{job.out.stem}.oracle.safetensors")
    arguments = [*named, "--framework", "torch", "--lane", "float64", "--out", str(out)]
    arguments += ["--seed", str(job.seed)]
    done = subprocess.run(
        [sys.executable, "-m", "parity", "capture", *arguments], stderr=subprocess.PIPE, text=True
    )
    if done.returncode == EXIT_USER_ERROR:  # it says why itself, however long that is
        error = f"\n{done.stderr}".rpartition(f"\n{ERROR}")[2].strip()
        raise CaptureError(f"the oracle {out} could not be captured: {error}")
    if done.returncode != 0:
        last = "\n  ".join(done.stderr.strip().splitlines()[-LAST_LINES:])
        raise CaptureError(f"the oracle {out} could not be captured; its last lines:\n  {last}")
    return out


def await_file(path: Path, parent: int, report: Report) -> None:
    """Wait until another process has written the file, or its parent has gone."""
    seen = time.monotonic()
    while not path.exists():
        if os.getppid() != parent:
            raise OrphanError(f"{path} is not there, and the command that asked for it has gone")
        if time.monotonic() - seen > _SECONDS_BETWEEN_SIGNS:
            seen = time.monotonic()
            report("")
        time.sleep(_POLL_SECONDS)
