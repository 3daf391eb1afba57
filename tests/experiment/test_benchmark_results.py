"""The benchmarks' file: what is written is read again, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from experiment.benchmark_results import (
    BenchmarkResults,
    BenchmarkResultsError,
    Floor,
    Row,
    TenEpochs,
    read,
    write,
)


def row(key: str, *seconds: float, **others: Any) -> Row:
    values = {"number": 6, "kind": "training", "title": key, "framework": "JAX", "batch": 32}
    values |= {"status": "measured", "steps": 100, "pictures": 3200, "seconds": seconds}
    return Row(key=key, **{**values, **others})


@pytest.fixture
def results() -> BenchmarkResults:
    ten = TenEpochs(seconds=90.0, extrapolated=True, how="in words")
    return BenchmarkResults(
        started="2026-01-01T00:00:00+00:00",
        finished=True,
        device="cpu",
        machine={"cores": 2},
        versions={"jax": "0.10.2"},
        git=None,
        settings={"steps": 100},
        floor=Floor(
            flop_per_second=2e11,
            tf32_flop_per_second=None,
            bytes_per_second=1e10,
            step_flop={32: 1.6e9},
            step_bytes={32: 4e7},
        ),
        rows=(
            row("fast", 1.0, 1.1, 1.5, first_seconds=3.0, ten_epochs=ten),
            row("slow", 2.0, 2.2, 3.3, framework="PyTorch"),
            row("missing", status="not measured", reason="no GPU"),
        ),
    )


def test_reads_what_was_written(tmp_path: Path, results: BenchmarkResults) -> None:
    write(tmp_path / "bench.json", results)
    assert read(tmp_path / "bench.json") == results


def test_measures_of_a_row(results: BenchmarkResults) -> None:
    fast = results.rows[0]
    assert fast.median == 1.1
    assert fast.spread == pytest.approx(0.5 / 1.1)
    assert fast.us_per_step == pytest.approx(11_000)
    assert fast.pictures_per_second == pytest.approx(3200 / 1.1)


def test_speedup_is_the_median_ratio_of_the_same_repeats(results: BenchmarkResults) -> None:
    assert results.speedup("fast", "slow") == pytest.approx(2.0)
    assert results.speedup("slow", "fast") == pytest.approx(0.5)
    assert results.speedup("fast", "missing") is None
    assert results.speedup("fast", "nowhere") is None


def test_row_without_repeats_has_no_median(results: BenchmarkResults) -> None:
    with pytest.raises(ValueError, match="missing: nothing was measured"):
        _ = results.rows[2].median


def test_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkResultsError, match=r"no such file.*python -m benchmarks"):
        read(tmp_path / "bench.json")


def test_file_cut_off_is_refused(tmp_path: Path, results: BenchmarkResults) -> None:
    path = tmp_path / "bench.json"
    write(path, results)
    path.write_text(path.read_text()[:-40])
    with pytest.raises(BenchmarkResultsError, match="cut off"):
        read(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "something else"}, "format"),
        ({"schema": 99}, "schema: found 99, expected 1"),
        ({"rows": [{"key": "a"}]}, "not the fields"),
        ({"surprise": 1}, "surprise"),
        ({"floor": 3}, "not the fields"),
    ],
    ids=str,
)
def test_foreign_file_is_refused(
    tmp_path: Path, results: BenchmarkResults, change: dict[str, Any], said: str
) -> None:
    path = tmp_path / "bench.json"
    write(path, results)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(BenchmarkResultsError, match=said):
        read(path)
