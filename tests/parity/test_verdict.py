"""verdict.json is strict JSON that says everything; the proof lane decides what comes first."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from parity.stages.names import STAGES, StageError, check_stages, stages_of
from parity.verdict import SCHEMA, Departure, Row, StageResult, Verdict, write_verdict


def result(stage: str, lane: str, status: str, row: Row | None = None) -> StageResult:
    departure = None
    if status == "fail":
        departure = Departure(
            stage=stage, lane=lane, place="output", text=f"{stage} departs", row=row
        )
    return StageResult(
        stage=stage, lane=lane, status=status, summary="", rows=(row,) if row else (),  # type: ignore[arg-type]
        departure=departure,
    )  # fmt: skip


def verdict(*results: StageResult) -> Verdict:
    return Verdict(
        pair="net", seed=0, nonce="n", date="today", lanes=("float64", "float32"), results=results
    )


@pytest.mark.parametrize("status", ["pass", "waived", "skipped"])
def test_nothing_failed_is_exit_code_0(status: str) -> None:
    found = verdict(result("forward", "float64", status))
    assert (found.passed, found.exit_code, found.first_departure) == (True, 0, None)


def test_any_failure_is_exit_code_1() -> None:
    found = verdict(result("loss", "float64", "pass"), result("loss", "float32", "fail"))
    assert found.exit_code == 1


def test_proof_lane_decides_what_departs_first() -> None:
    found = verdict(
        result("forward", "float64", "pass"), result("forward", "float32", "fail"),
        result("update", "float64", "fail"),
    )  # fmt: skip
    assert found.first_departure is not None
    assert (found.first_departure.stage, found.first_departure.lane) == ("update", "float64")


def test_json_is_strict_where_numbers_are_not_finite(tmp_path: Path) -> None:
    row = Row(
        name="x", what="x", needed=math.inf, error=math.nan, worst=(np.int64(2),),
        reference_value=float(np.float32(0.5)), port_value=-math.inf, status="departs",
    )  # fmt: skip
    path = tmp_path / "verdict.json"
    write_verdict(path, verdict(result("forward", "float64", "fail", row)))

    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is not JSON")

    read = json.loads(path.read_text(), parse_constant=refuse)
    assert (read["schema"], read["passed"], read["exit_code"]) == (SCHEMA, False, 1)
    written = read["results"][0]["rows"][0]
    assert (written["needed"], written["error"], written["port_value"]) == ("inf", "nan", "-inf")
    assert written["worst"] == [2]
    assert read["first_departure"]["stage"] == "forward"


def test_stages_that_do_not_exist_are_refused_with_the_list() -> None:
    with pytest.raises(StageError, match="found 'foward', expected some of config, data"):
        check_stages(["loss", "foward"])
    with pytest.raises(StageError, match="found none"):
        check_stages([])
    assert check_stages(["loss"]) == {"loss"}


def test_lanes_judge_their_stages_in_order() -> None:
    assert stages_of("float64") == tuple(s for s in STAGES if s != "envelope")
    assert stages_of("float32") == (
        "config", "forward", "loss", "gradient", "update", "state", "eval", "envelope",
    )  # fmt: skip
