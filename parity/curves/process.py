"""One framework's part of a comparison, in a process of its own.

    python -m parity.curves.process probe  --side torch --folder DIR
    python -m parity.curves.process epochs --side torch --folder DIR
    python -m parity.curves.process answer --side torch --folder DIR
    python -m parity.curves.process replicas --side jax --folder DIR
    python -m parity.curves.process train  --side jax [--cores 0,1] [--drop-last] -- ARGUMENTS

The comparison starts these; `train` becomes the side's own training command, and takes its
arguments. Exit codes are those of the training commands.
"""

from __future__ import annotations

import argparse
import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from experiment.errors import EXIT_USER_ERROR, UserError
from parity.capture.processes import ERROR
from parity.curves.layout import SIDES, Layout, Side

_SECONDS_BETWEEN_LOOKS = 0.5


def main(argv: Sequence[str] | None = None) -> int:
    """The process; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    cut = words.index("--") if "--" in words else len(words)
    arguments = _parser().parse_args(words[:cut])
    threading.Thread(target=_end_with_the_comparison, args=(os.getppid(),), daemon=True).start()
    _keep_to(arguments.cores)
    side = SIDES[arguments.side]
    if arguments.job == "train":
        _become_the_training(side, arguments.drop_last, words[cut + 1 :])
    try:
        _work(arguments.job, Layout(arguments.folder), side)
    except UserError as error:
        print(f"{ERROR}{error}", file=sys.stderr)
        return EXIT_USER_ERROR
    except OSError as error:
        print(f"{ERROR}{error.filename}: {error.strerror}", file=sys.stderr)
        return EXIT_USER_ERROR
    return 0


def _work(job: str, layout: Layout, side: Side) -> None:
    from parity.curves import jobs

    job_of = {"probe": jobs.probe, "epochs": jobs.epochs, "answer": jobs.answer}
    job_of["replicas"] = jobs.replicas
    job_of[job](layout, side)


def _become_the_training(side: Side, drop_last: bool, options: list[str]) -> None:
    """Never returns: a command ends its process."""
    if drop_last:
        from parity.curves.planted import drop_last_batches

        drop_last_batches()
    sys.argv = [side.command, *options]
    runpy.run_module(side.command, run_name="__main__", alter_sys=True)


def _keep_to(cores: str) -> None:
    """Compute on these cores alone: both frameworks take a thread for each that they may use."""
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, [int(core) for core in cores.split(",")])


def _end_with_the_comparison(parent: int) -> None:
    """A comparison that is killed cannot end its processes, and the next needs their folders."""
    while os.getppid() == parent:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m parity.curves.process")
    parser.add_argument("job", choices=("probe", "epochs", "answer", "replicas", "train"))
    parser.add_argument("--side", choices=SIDES, required=True)
    parser.add_argument("--folder", type=Path, default=Path())
    parser.add_argument("--cores", default="")
    parser.add_argument("--drop-last", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
