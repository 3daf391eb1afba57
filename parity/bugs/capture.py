"""A capture process of the catalogue: many captures of one framework, which is imported once.

    python -m parity.bugs.capture torch FOLDER SEED NONCE THREADS SUBJECT...     their references
    python -m parity.bugs.capture jax FOLDER SEED NONCE THREADS SUBJECT NAME...  ports of one

`parity.bugs.run` starts them. A port awaits its reference, which another process writes.
"""

from __future__ import annotations

import dataclasses
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from experiment.errors import EXIT_USER_ERROR, UserError
from parity.bridge.errors import BridgeError
from parity.bugs.bug import Subject
from parity.bugs.files import Refusal, port_file, reference_file, write_refusal
from parity.bugs.ports import named_pair, subject_named
from parity.capture.command import await_file, capture_here
from parity.capture.plan import Job
from parity.capture.processes import ERROR, PROGRESS


def _references(folder: Path, names: Sequence[str], job: Job) -> None:
    for name in names:
        subject = subject_named(name)
        _progress(f"{name}: reference")
        here = dataclasses.replace(job, out=reference_file(folder, subject))
        capture_here(subject.right, "torch", here, lambda _: _progress(""))


def _ports(folder: Path, subject: Subject, names: Sequence[str], job: Job) -> None:
    oracle = reference_file(folder, subject)
    await_file(oracle, os.getppid(), _progress)
    for name in names:
        _progress(f"{subject.name}: {name}")
        out = port_file(folder, subject, name)
        here = dataclasses.replace(job, out=out, oracle=oracle)
        try:
            capture_here(named_pair(subject, name), "jax", here, lambda _: _progress(""))
        except UserError as error:
            write_refusal(folder, subject, name, _refusal(error))
        gc.collect()


def _refusal(error: UserError) -> Refusal:
    """With the stage that it stands for."""
    from parity.capture.promotion import PromotionError

    kinds = ((BridgeError, "weights"), (PromotionError, "config"))
    return Refusal(str(error), next((s for kind, s in kinds if isinstance(error, kind)), ""))


def _progress(line: str) -> None:
    print(f"{PROGRESS}{line}", flush=True)


def main(argv: Sequence[str]) -> int:
    """The process; returns the exit code."""
    framework, folder, seed, nonce, threads, *names = argv
    job = Job(lane="float64", seed=int(seed), nonce=nonce, out=Path(folder), threads=int(threads))
    try:
        if framework == "torch":
            _references(Path(folder), names, job)
        else:
            _ports(Path(folder), subject_named(names[0]), names[1:], job)
    except UserError as error:
        print(f"{ERROR}{error}", file=sys.stderr)
        return EXIT_USER_ERROR
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
