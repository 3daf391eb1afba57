"""Run a training command: read its options, and end as a command should.

Exit code 0: trained; 2: could not, and a sentence says why; 130: interrupted, resumable.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from experiment.console import print_anywhere
from experiment.errors import EXIT_USER_ERROR, UserError
from experiment.interrupts import EXIT_INTERRUPTED, interrupt_the_command
from experiment.options import Options
from experiment.run_folder import RunFolder
from experiment.stored_run import read_stored_run

EXIT_BROKEN_PIPE = 141
"""128 + SIGPIPE: whoever read the output has gone."""


class ResumeError(UserError):
    """--resume without the folder of a run."""


def run(
    program: str,
    framework: str,
    train: Callable[[Options, RunFolder], None],
    argv: Sequence[str] | None = None,
) -> int:
    """Train by the command line; returns the exit code. `program` is the module's name."""
    interrupt_the_command()
    print_anywhere()
    folder = None
    try:
        options = parse(program, sys.argv[1:] if argv is None else argv)
        folder = RunFolder(options, framework)
        train(options, folder)
    except UserError as error:
        return _fail(str(error))
    except BrokenPipeError:
        # Python flushes stdout once more as it exits, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        kept = "; the last good checkpoint is kept" if folder and folder.has_begun else ""
        return _fail(f"{where}{error.strerror or error}{kept}")
    except KeyboardInterrupt:
        print(f"\ninterrupted{_how_to_continue(program, folder)}", file=sys.stderr)
        return EXIT_INTERRUPTED
    return 0


def parse(program: str, arguments: Sequence[str]) -> Options:
    """Read the options. With --resume, what is not given is as the run in --out has it.

    Raises `UserError` for values that cannot be; ends the process (exit code 0 or 2) for --help
    and for words that are no options.
    """
    import tyro

    return tyro.cli(
        Options,
        prog=f"python -m {program}",
        args=list(arguments),
        default=_defaults(arguments),
        config=(tyro.conf.OmitArgPrefixes,),
    )


def _defaults(arguments: Sequence[str]) -> Options:
    peek = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    peek.add_argument("--out", type=Path)
    peek.add_argument("--resume", action="store_true")
    known, _ = peek.parse_known_args(arguments)
    if known.resume and known.out is None:
        raise ResumeError("--resume: expected --out with the folder of the run to continue")
    stored = read_stored_run(known.out) if known.resume and known.out else None
    if stored is None:
        return Options()
    return Options(
        recipe=stored.recipe,
        data=stored.provenance["data"]["spec"],
        init=stored.provenance["init"]["source"],
    )


def _how_to_continue(program: str, folder: RunFolder | None) -> str:
    if folder is None or not folder.path.exists():
        return "; nothing was written yet"
    return f"; continue with: python -m {program} --out {shlex.quote(str(folder.path))} --resume"


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return EXIT_USER_ERROR
