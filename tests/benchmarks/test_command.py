"""The command as a user runs it: rows in turns, results on disk, tables in a page."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from benchmarks import page
from benchmarks.processes import WORKERS, WorkerError, WorkerProcess
from experiment.benchmark_results import BenchmarkResults, Row, read


@pytest.fixture
def results() -> BenchmarkResults:
    values: dict[str, Any] = {"number": 6, "kind": "training", "framework": "JAX", "batch": 32}
    values |= {"steps": 10, "pictures": 320}
    measured = {"status": "measured", "arithmetic_share": 0.5}
    return BenchmarkResults(
        started="2026-01-01T00:00:00+00:00",
        finished=True,
        device="cpu",
        machine={"processor": "a processor", "cores": 2, "python": "3.11"},
        versions={"jax": "0.10.2"},
        git=None,
        settings={"repeats": 2, "pictures_per_repeat": 320, "pictures": "random",
                  "load_average_at_start": 0.1},
        rows=(
            Row(key="jax_impl-32", title="jax_impl as shipped", seconds=(0.1, 0.1),
                **values, **measured),
            Row(key="torch-device-32", title="eager", seconds=(0.2, 0.4), **values, **measured),
            Row(key="x", title="TF32", status="not measured", reason="needs a GPU", **values),
        ),
        notes=("A note.",),
    )  # fmt: skip


def test_table_stands_between_its_marks(tmp_path: Path, results: BenchmarkResults) -> None:
    path = tmp_path / "results.md"
    path.write_text("before\n" + "\n".join(page.marks("cpu")) + "\nafter\n")
    page.publish(path, results)
    text = path.read_text()
    assert "| jax_impl as shipped | 32 | 10,000 | 3,200 |" in text
    assert "| TF32 | 32 | not measured |" in text
    assert "| `jax_impl-32` against `torch-device-32` | 3.00 |" in text
    assert "A note." in text
    assert text.startswith("before")
    assert text.endswith("after\n")
    assert read(tmp_path / "results" / "benchmarks-cpu.json") == results
    assert (tmp_path / "results" / "benchmarks-cpu.png").read_bytes().startswith(b"\x89PNG")


def test_worker_that_cannot_says_why_and_lives_on() -> None:
    with WorkerProcess(WORKERS) as worker:
        with pytest.raises(WorkerError, match="ModuleNotFoundError"):
            worker.ask("prepare", task={"trainer": "nothing:here", "key": "a", "number": 1,
                       "kind": "training", "title": "a", "framework": "JAX"}, pictures=32,
                       device="cpu")  # fmt: skip
        with pytest.raises(WorkerError, match="AttributeError"):
            worker.ask("nonsense")


def test_worker_that_died_is_named() -> None:
    with WorkerProcess(WORKERS) as worker:
        worker.process.kill()
        worker.process.wait()
        with pytest.raises(WorkerError, match="the worker died"):
            worker.ask("memory")


@pytest.mark.slow
def test_whole_command_writes_what_it_measured(command: Any, tmp_path: Path) -> None:
    done = command(
        "benchmarks", "--out", tmp_path / "b.json", "--steps", 2, "--repeats", 2, "--batches", "32",
        "--replicas", "1", "--only", "jax_impl,torch-device,replicas,loader-synthetic",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = read(tmp_path / "b.json")
    assert found.finished
    assert found.floor is not None
    rows = {row.key: row for row in found.rows}
    for key in ("jax_impl-32", "torch-device-32", "replicas-1"):
        assert len(rows[key].seconds) == 2
        assert rows[key].first_seconds is not None
        assert rows[key].peak_host_bytes
    assert rows["jax_impl-32"].first_step_warm is not None
    assert rows["jax_impl-tf32-32"].status == "not measured"
    assert rows["loader-synthetic"].seconds
    assert found.speedup("jax_impl-32", "torch-device-32") is not None


@pytest.mark.slow
def test_spent_budget_leaves_rows_out_and_says_so(command: Any, tmp_path: Path) -> None:
    done = command("benchmarks", "--out", tmp_path / "b.json", "--budget-minutes", 0)
    assert done.returncode == 0, done.stderr
    found = read(tmp_path / "b.json")
    assert {row.status for row in found.rows} == {"not measured"}
    assert dataclasses.asdict(found.rows[0])["reason"] == "the time budget was spent"
