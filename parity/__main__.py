"""The harness's commands.

python -m parity verify cifar10_cnn              # the built-in pair, stage by stage
python -m parity verify my_pair.py               # your own pair: its attribute PAIR
python -m parity verify cifar10_cnn --device gpu # on the GPU too
python -m parity capture my_pair.py --framework torch --lane float64 --out torch.safetensors
python -m parity compare torch.safetensors jax.safetensors
python -m parity layers                          # which layer of PyTorch is which of Flax
python -m parity convert weights.pt --pair my_pair.py --to flax
python -m parity bugs                            # plant every known porting bug; is each found?
python -m parity curves --out runs/curves        # whole trainings of both, compared by statistics
python -m parity report DIR DIR                  # all of it on one page

Exit code 0: nothing failed; 1: the port departs; 2: could not run, and a sentence says why.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from experiment.command import EXIT_BROKEN_PIPE
from experiment.console import print_anywhere
from experiment.errors import EXIT_USER_ERROR, UserError
from experiment.interrupts import EXIT_INTERRUPTED, interrupt_the_command
from parity.bridge.support import table
from parity.capture.plan import GPU_LANES, LANES, Job
from parity.capture.processes import ERROR, PATIENCE, PROGRESS
from parity.curves import command as curves
from parity.report import command as report
from parity.stages.names import STAGES


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code. Words that are no command end with exit code 2."""
    try:
        if argv is None:
            interrupt_the_command()
        print_anywhere()
        arguments = _parser().parse_args(argv)
        return arguments.run(arguments)
    except UserError as error:
        sys.stdout.flush()  # what a pair printed comes before the error, also in one pipe
        print(f"{ERROR}{error}", file=sys.stderr)
    except BrokenPipeError:
        # Python flushes stdout once more as it exits, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    return EXIT_USER_ERROR


def _layers(arguments: argparse.Namespace) -> int:
    print(table())
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from parity.failed_verdict import failing_into
    from parity.pages import fill
    from parity.progress import shown
    from parity.report.inputs import Inputs
    from parity.report.write import remove_report, write_report
    from parity.screen import render
    from parity.verdict import write_verdict
    from parity.verify import CPU_LANES, verify

    where = arguments.out.parent / report.FOLDER
    if not arguments.no_report:
        remove_report(where)
    lanes = tuple(LANES) if arguments.device == "gpu" else CPU_LANES
    with failing_into(arguments.out, arguments.pair, arguments.seed), shown() as say:
        verdict = verify(
            arguments.pair,
            lanes=lanes,
            seed=arguments.seed,
            stages=_stages(arguments),
            keep=arguments.keep,
            report=say,
            patience=arguments.patience,
        )
    print(render(verdict))
    write_verdict(arguments.out, verdict)
    for page in arguments.page:
        fill(page, verdict)
    print(f"\nverdict written to {arguments.out}")
    if not arguments.no_report:
        page = write_report(where, Inputs(verdict=verdict), None)
        print(f"report written to {page}")
    return verdict.exit_code


def _stages(arguments: argparse.Namespace) -> Sequence[str]:
    return arguments.stages.split(",") if arguments.stages else STAGES


def _compare(arguments: argparse.Namespace) -> int:
    from parity.capture.capture_file import read_capture
    from parity.evidence import LaneEvidence
    from parity.failed_verdict import failing_into
    from parity.judge import judge
    from parity.screen import render
    from parity.verdict import write_verdict

    with failing_into(arguments.out, str(arguments.port), 0):
        reference, port = read_capture(arguments.reference), read_capture(arguments.port)
        oracle = read_capture(arguments.oracle) if arguments.oracle else None
        evidence = LaneEvidence(reference.about["lane"], reference, port, oracle)
        verdict = judge([evidence], _stages(arguments))
    print(render(verdict))
    if arguments.out:
        write_verdict(arguments.out, verdict)
    return verdict.exit_code


def _capture(arguments: argparse.Namespace) -> int:
    from parity.capture.command import capture_here, make_oracle
    from parity.pair_file import load_pair
    from parity.pickled_pair import load_pickled_pair

    job = Job(
        lane=arguments.lane,
        seed=arguments.seed,
        nonce=arguments.nonce,
        out=arguments.out,
        threads=arguments.threads,
        oracle=arguments.oracle,
        start=arguments.start,
    )
    pair = load_pickled_pair(arguments.pickled) if arguments.pickled else load_pair(arguments.pair)
    needs_oracle = (arguments.framework, job.lane) != ("torch", "float64")
    if needs_oracle and job.oracle is None:
        job = dataclasses.replace(job, oracle=make_oracle([arguments.pair], job))
    capture_here(
        pair, arguments.framework, job, lambda line: print(f"{PROGRESS}{line}", flush=True)
    )
    return 0


def _convert(arguments: argparse.Namespace) -> int:
    from parity.convert import convert

    print(f"written: {convert(arguments.file, arguments.pair, arguments.to, arguments.out)}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m parity", description="The parity harness.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_verify(commands.add_parser("verify", help="prove a port right, stage by stage"))
    _add_capture(commands.add_parser("capture", help="write down what one side computes"))
    _add_compare(commands.add_parser("compare", help="judge two captures"))
    _add_convert(commands.add_parser("convert", help="carry a file of weights across"))
    _add_bugs(commands.add_parser("bugs", help="plant known porting bugs, and print the score"))
    curves.add_to(commands.add_parser("curves", help="compare whole trainings by statistics"))
    report.add_to(commands.add_parser("report", help="everything that was found on one page"))
    layers = commands.add_parser("layers", help="print which layer of PyTorch is which of Flax")
    layers.set_defaults(run=_layers)
    return parser


def _add_verify(parser: argparse.ArgumentParser) -> None:
    _add_pair(parser, "pair")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu",
                        help="gpu adds the lanes device (strict float32) and tf32")  # fmt: skip
    _add_seed(parser)
    _add_stages(parser)
    parser.add_argument("--out", type=Path, default=Path("verdict.json"), metavar="FILE",
                        help="where the verdict goes (default: verdict.json)")  # fmt: skip
    parser.add_argument("--page", type=Path, action="append", default=[], metavar="FILE",
                        help="put the table into this page, between its marks")  # fmt: skip
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the captures there")
    parser.add_argument("--patience", type=float, default=PATIENCE, metavar="SECONDS",
                        help="silence after which a capture counts as hung")  # fmt: skip
    report.add_switch(parser)
    parser.set_defaults(run=_verify)


def _add_capture(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    _add_pair(which, "pair", nargs="?")
    which.add_argument("--pickled", type=Path, help=argparse.SUPPRESS)  # the harness's own file
    parser.add_argument("--framework", choices=("torch", "jax"), required=True)
    parser.add_argument("--lane", choices=LANES, required=True,
                        help=f"{' and '.join(GPU_LANES)} need a GPU")  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--oracle", type=Path, metavar="FILE",
                        help="the reference's capture in float64; made beside FILE if it is "
                             "needed and not given")  # fmt: skip
    _add_seed(parser)
    parser.add_argument("--threads", type=int, metavar="N", help="PyTorch's CPU threads")
    parser.add_argument("--nonce", default="", help=argparse.SUPPRESS)
    parser.add_argument("--start", type=Path, help=argparse.SUPPRESS)
    parser.set_defaults(run=_capture)


def _add_compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reference", type=Path, metavar="REFERENCE", help="PyTorch's capture")
    parser.add_argument("port", type=Path, metavar="PORT", help="JAX's capture of the same lane")
    parser.add_argument("--oracle", type=Path, metavar="FILE",
                        help="the reference's capture in float64, for the other lanes")  # fmt: skip
    _add_stages(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the verdict goes")
    parser.set_defaults(run=_compare)


def _add_convert(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help=".safetensors, or .pt of weights")
    _add_pair(parser, "--pair", required=True)
    parser.add_argument("--to", choices=("flax", "torch"), required=True)
    parser.add_argument("--out", type=Path, metavar="FILE")
    parser.set_defaults(run=_convert)


def _add_bugs(parser: argparse.ArgumentParser) -> None:
    from parity.bugs import command

    command.add_arguments(parser)
    _add_seed(parser)
    parser.set_defaults(run=command.run)


def _add_pair(parser: argparse._ActionsContainer, name: str, **options: object) -> None:
    text = "cifar10_cnn, a file such as my_pair.py with a parity.Pair called PAIR, or module:NAME"
    parser.add_argument(name, metavar="PAIR", help=text, **options)  # type: ignore[arg-type]


def _add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=0, metavar="N",
                        help="seed of the weights and inputs (default: 0)")  # fmt: skip


def _add_stages(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stages", metavar="A,B", help=f"judge only these of {', '.join(STAGES)}")


if __name__ == "__main__":
    sys.exit(main())
