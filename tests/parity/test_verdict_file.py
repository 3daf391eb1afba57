"""verdict.json is read as it was written, and nothing else is read."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from parity.failed_verdict import UNFINISHED, write_failed_verdict
from parity.verdict import (
    LEVELS,
    Departure,
    Distribution,
    Hint,
    Layer,
    Row,
    Spread,
    StageResult,
    Verdict,
    write_verdict,
)
from parity.verdict_file import VerdictFileError, read_verdict


@pytest.fixture
def verdict() -> Verdict:
    row = Row(
        name="train/exit/fc#0/0", what="output of fc", layer="fc", shape=(2, 3), needed=math.inf,
        introduced=0.5, introduced_ulps=3.5, worst=(1, 2), port_value=-math.inf, status="departs",
    )  # fmt: skip
    departure = Departure(
        stage="forward", lane="float64", place="output", text="fc departs", layer="fc", row=row,
        hint=Hint(bug=9, text="flatten order"),
    )  # fmt: skip
    spread = Spread(count=9, mean=0.0, std=1.0, quantiles=tuple(map(float, range(len(LEVELS)))))
    return Verdict(
        pair="net", seed=3, nonce="n", date="today", lanes=("float64",),
        results=(
            StageResult(stage="forward", lane="float64", status="fail", summary="fc departs",
                        tolerance=1e-10, needed=math.inf, worst=row, rows=(row,),
                        departure=departure),
        ),
        layers=(Layer(path="fc", kind="torch.nn.Linear", port_path="fc"),),
        aside={"not run alone": {"fc": "why"}},
        checks=({"lane": "float64", "side": "port", "name": "x64", "passed": True, "detail": ""},),
        provenance={"float64": {"port": {"versions": {"jax": "1"}, "threads": 2}}},
        config={"port": {"learning_rate": 0.01}},
        sources={"port": {"module": "m", "file": "m.py", "text": "class M: ..."}},
        distributions=(Distribution(tensor="fc.weight", reference=spread, port=None),),
    )  # fmt: skip


def test_reads_what_was_written(tmp_path: Path, verdict: Verdict) -> None:
    write_verdict(tmp_path / "verdict.json", verdict)
    found = read_verdict(tmp_path / "verdict.json")
    assert found == verdict
    assert found.first_departure == verdict.first_departure


def _refusal(path: Path) -> str:
    with pytest.raises(VerdictFileError) as caught:
        read_verdict(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_missing_and_cut_off_files_are_refused(tmp_path: Path, verdict: Verdict) -> None:
    path = tmp_path / "verdict.json"
    assert "no such file" in _refusal(path)
    write_verdict(path, verdict)
    path.write_bytes(path.read_bytes()[:-40])
    assert "cut off" in _refusal(path)
    path.write_bytes(b"\xff\xfe\x00")
    assert "not JSON" in _refusal(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": 1}, "schema: found 1, expected 2"),
        ({"results": {}}, "results: found dict, expected a list"),
        ({"seed": "three"}, "seed: found str, expected int"),
        ({"extra": 1}, "extra: unknown"),
    ],
)
def test_other_versions_and_fields_are_refused_by_name(
    tmp_path: Path, verdict: Verdict, change: dict[str, Any], said: str
) -> None:
    path = tmp_path / "verdict.json"
    path.write_text(json.dumps(json.loads(verdict.to_json()) | change))
    assert said in _refusal(path)


def test_foreign_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    path.write_text('{"history": []}')
    assert "a foreign file" in _refusal(path)


def test_verdict_of_a_comparison_that_has_not_ended_is_none(tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    write_failed_verdict(path, "net", 0, UNFINISHED)
    assert UNFINISHED in _refusal(path)
