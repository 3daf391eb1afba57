"""From a pair to its verdict: both sides captured in processes of their own, then judged."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from experiment.provenance import cores
from parity.capture.capture_file import read_capture
from parity.capture.gpu_probe import check_gpus
from parity.capture.plan import GPU_LANES, LANES
from parity.capture.processes import PATIENCE, START, run, tasks
from parity.evidence import LaneEvidence
from parity.judge import judge
from parity.pair import Pair
from parity.pickled_pair import write_pair
from parity.stages.names import STAGES, check_stages
from parity.verdict import Verdict

CPU_LANES = tuple(lane for lane in LANES if lane not in GPU_LANES)


def _silent(line: str) -> None:
    pass


def verify(
    pair: Pair | str,
    *,
    lanes: Sequence[str] = CPU_LANES,
    seed: int = 0,
    stages: Sequence[str] = STAGES,
    keep: Path | None = None,
    report: Callable[[str], None] = _silent,
    patience: float = PATIENCE,
) -> Verdict:
    """Compare a pair, or what `python -m parity verify` calls one, in the given lanes.

    float64 is always among them: it has the oracle. `keep` is a folder for the captures, which are
    else deleted. Raises `UserError` where nothing can be compared.
    """
    check_stages(stages)
    chosen = [lane for lane in LANES if lane == "float64" or lane in lanes]
    nonce = secrets.token_hex(8)
    if set(chosen) & set(GPU_LANES):
        report("looking for the GPU")
        check_gpus()
    with _folder(keep) as folder, _folder(None) as own:
        arguments = _pair_arguments(pair, own)
        lines, files = tasks(arguments, chosen, folder, seed, nonce, cores())
        for stale in (*files.values(), folder / START):
            stale.unlink(missing_ok=True)
        run(lines, report, patience)
        report("judging")
        oracle = read_capture(files["torch", "float64"])
        evidence = [
            LaneEvidence(
                lane=lane,
                reference=oracle if lane == "float64" else read_capture(files["torch", lane]),
                port=read_capture(files["jax", lane]),
                oracle=oracle,
            )
            for lane in chosen
        ]
        return judge(evidence, stages)


def assert_parity(
    pair: Pair, *, lanes: Sequence[str] = CPU_LANES, seed: int = 0, stages: Sequence[str] = STAGES
) -> None:
    """Fail a test, with the rendered verdict, unless the pair passes every stage."""
    from parity.screen import render

    __tracebackhide__ = True
    verdict = verify(pair, lanes=lanes, seed=seed, stages=stages)
    if not verdict.passed:
        raise AssertionError("\n" + render(verdict))


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="parity-") as name:
        yield Path(name)


def _pair_arguments(pair: Pair | str, folder: Path) -> list[str]:
    if isinstance(pair, str):
        return [pair]
    path = folder / "pair.pickle"
    write_pair(path, pair)
    return ["--pickled", str(path)]
