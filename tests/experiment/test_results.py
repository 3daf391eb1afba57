"""Committed results come from finished runs, say where they come from, and name no machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from experiment.history import EpochRecord, History, Metrics
from experiment.recipe import Recipe
from experiment.results import as_table, main, table_marks

DOCS = Path(__file__).parents[2] / "docs"


def make_run(folder: Path, framework: str, recipe: Recipe, epochs: int, sha256: str = "a") -> Path:
    folder.mkdir()
    (folder / "recipe.json").write_text(recipe.to_json())
    provenance = {
        "framework": framework, "versions": {"numpy": "2"}, "python": "3", "device": "cpu",
        "threads": 2, "precision": {}, "git": None, "started": "2026-01-01",
        "command_line": ["/somewhere/private"], "init": {"source": "native", "sha256": "b"},
        "data": {"source": "/somewhere/private", "spec": "x", "sha256": sha256, "official": False,
                 "synthetic": False, "notice": None},
    }  # fmt: skip
    (folder / "provenance.json").write_text(json.dumps(provenance))
    history = History(folder / "history.jsonl")
    for epoch in range(1, epochs + 1):
        history.append(EpochRecord.of(epoch, Metrics(1.5, 0.25), Metrics(1.25, 0.5), 100, 2.0))
    return folder


def make_page(folder: Path) -> Path:
    page = folder / "page.md"
    begin, end = table_marks("training")
    page.write_text(f"before\n{begin}\nold\n{end}\nafter\n")
    return page


def run(*arguments: Any) -> int:
    return main([str(argument) for argument in arguments])


def test_two_runs_stand_beside_the_published_one(tmp_path: Path) -> None:
    recipe = Recipe(epochs=2)
    there = make_run(tmp_path / "a", "PyTorch", recipe, 2)
    here = make_run(tmp_path / "b", "JAX", recipe, 2)
    page = make_page(tmp_path)
    for _ in range(2):  # the second time over the first
        assert run(there, here, "--page", page, "--about", "real pictures") == 0
    results = json.loads((tmp_path / "page" / "training.json").read_text())
    assert [r["framework"] for r in results["runs"]] == ["PyTorch", "JAX"]
    assert results["runs"][1]["history"][1]["test_loss"] == 1.25
    assert results["about"] == "real pictures"
    assert "private" not in json.dumps(results)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    head, _, first, second, *_ = [line for line in text.splitlines() if line.startswith("|")]
    assert "train acc %<br>published" in head
    assert first.startswith("| 1 | 14.4 | 25.0 | 25.0 | 22.1 | 50.0 | 50.0 | 2.273 | 1.500 |")
    assert second.startswith("| 2 |")
    assert text.count("| 10 |") == 1  # the published run is longer
    assert (tmp_path / "page" / "training.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": Recipe(epochs=2, seed=1)}, "seed: 1 here, 4 there"),
        ({"sha256": "c"}, "data: other pictures"),
        ({"framework": "PyTorch"}, "framework: PyTorch twice"),
        ({"epochs": 1}, "found 1 finished epochs, expected 2"),
    ],
    ids=str,
)
def test_runs_that_cannot_stand_side_by_side_are_refused(
    tmp_path: Path, changes: dict[str, Any], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    there = make_run(tmp_path / "a", "PyTorch", Recipe(epochs=2), 2)
    kind = {"framework": "JAX", "recipe": Recipe(epochs=2), "epochs": 2, **changes}
    here = make_run(tmp_path / "b", **kind)
    page = make_page(tmp_path)
    assert run(there, here, "--page", page) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "page").exists()


def test_folder_without_a_run_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "none", "--page", make_page(tmp_path)) == 2
    assert "none: no run is in it" in capsys.readouterr().err


def test_name_tells_results_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_run(tmp_path / "a", "JAX", Recipe(epochs=1), 1)
    page = make_page(tmp_path)
    assert run(folder, "--page", page, "--name", "other") == 2
    assert table_marks("other")[0] in capsys.readouterr().err
    page.write_text(page.read_text() + "\n".join(table_marks("other")))
    assert run(folder, "--page", page, "--name", "other") == 0
    assert {path.name for path in (tmp_path / "page").iterdir()} == {"other.json", "other.png"}
    assert "old" in page.read_text()


def test_page_without_the_marks_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_folder = make_run(tmp_path / "a", "JAX", Recipe(epochs=1), 1)
    (tmp_path / "page.md").write_text("no marks")
    assert run(run_folder, "--page", tmp_path / "page.md") == 2
    assert "page.md: expected the lines" in capsys.readouterr().err
    assert (tmp_path / "page.md").read_text() == "no marks"


@pytest.mark.parametrize("file", sorted((DOCS / "results").glob("training*.json")), ids=str)
def test_committed_page_is_as_the_committed_numbers(file: Path) -> None:
    results = json.loads(file.read_text())
    table = as_table(
        {r["framework"]: [EpochRecord(**line) for line in r["history"]] for r in results["runs"]}
    )
    assert table in (DOCS / "results.md").read_text()
