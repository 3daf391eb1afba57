"""`verify` on right pairs of many kinds: each passes the proof lane, and names no fault."""

from __future__ import annotations

import sys
from importlib import util
from pathlib import Path
from typing import Any

import pytest

from parity import Pair, verify
from parity.screen import render

FILE = Path(__file__).parent / "capture" / "right_pairs.py"


def _load() -> Any:
    spec = util.spec_from_file_location("right_pairs", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    sys.modules["right_pairs"] = module
    spec.loader.exec_module(module)
    return module


PAIRS: dict[str, Pair] = _load().PAIRS
QUICK = "everything"


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n == QUICK else pytest.mark.slow) for n in PAIRS]
)
def test_right_pair_passes_the_proof_lane(name: str) -> None:
    verdict = verify(f"{FILE}:{name.upper()}", lanes=("float64",))
    assert verdict.passed, render(verdict)
    judged = {result.stage for result in verdict.results if result.status == "pass"}
    assert {"weights", "init", "forward", "gradient", "update", "eval", "trajectory"} <= judged
    needed = [r.needed for r in verdict.results if r.needed is not None and r.stage != "init"]
    assert max(needed) <= 1e-12
    assert all(check["passed"] for check in verdict.checks)
    skipped = {result.stage for result in verdict.results if result.status == "skipped"}
    assert ("loss" in skipped) == (PAIRS[name].reference_loss is None)
