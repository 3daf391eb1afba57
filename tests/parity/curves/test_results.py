"""The file of results: read as it was written, and refused by name where it is not one."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recorded import results as made

from parity.curves import results
from parity.curves.agreement import wall
from parity.curves.command import fill
from parity.curves.files import CurvesFileError
from parity.curves.records import Answer
from parity.curves.screen import MARKS, page, render


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "curves.json"
    results.write(path, made())
    return path


def test_is_read_as_it_was_written(file: Path) -> None:
    assert results.read(file) == made()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CurvesFileError, match=r"gone\.json: no such file; .*parity curves"):
        results.read(tmp_path / "gone.json")


@pytest.mark.parametrize("kept", [0, 1, 100, -3])
def test_a_file_that_was_cut_off_is_named(file: Path, kept: int) -> None:
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(CurvesFileError, match=r"curves\.json: not JSON, or cut off"):
        results.read(file)


def test_a_file_that_is_no_text_is_named(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00" * 100)
    with pytest.raises(CurvesFileError, match=r"curves\.json: not JSON"):
        results.read(file)


def set_to(value: object, *path: str | int) -> Any:
    def change(content: Any) -> None:
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (set_to("verdict", "format"), "a foreign file"),
        (set_to(7, "schema"), "schema: found 7, expected 1"),
        (lambda content: content.pop("shared"), "shared: missing"),
        (lambda content: content.update(extra=1), "extra: unknown"),
        (set_to("fine", "outcome"), "outcome: found 'fine', expected one of"),
        (set_to("0.1", "shared", "needed"), "shared.needed: found str, expected float"),
        (set_to(None, "reference", "trainings", 1, "epochs", 0, "test_loss"),
         r"reference.trainings\[1\].epochs\[0\].test_loss: found nothing, expected float"),
        (set_to([], "native"), "native: found list, expected an object"),
        (set_to(True, "comparison", "seeds"), "comparison.seeds: found bool, expected int"),
    ],
)  # fmt: skip
def test_a_field_that_is_wrong_is_named(file: Path, change: Any, said: str) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    with pytest.raises(CurvesFileError, match=rf"curves\.json: {said}"):
        results.read(file)


def test_what_is_committed_names_no_folder_of_the_machine() -> None:
    assert "/a/secret" not in json.dumps(dataclasses.asdict(results.without_paths(made())))


def test_only_equivalence_ends_with_exit_code_0() -> None:
    codes = {outcome: made(outcome=outcome).exit_code
             for outcome in ("equivalent", "different", "not enough runs to decide")}  # fmt: skip
    assert codes == {"equivalent": 0, "different": 1, "not enough runs to decide": 1}


def test_synthetic_data_and_planted_differences_are_said_first() -> None:
    found = made(planted=("learning rate 0.011 instead of 0.01",))
    for text in (render(found), page(found, "results")):
        head = text[: text.index("hared start")]
        assert "SYNTHETIC, not CIFAR-10" in head
        assert "learning rate 0.011" in head


def test_what_was_not_decided_does_not_read_as_equivalence() -> None:
    found = made()
    assert found.outcome == "not enough runs to decide"
    assert render(found).splitlines()[-1] == "outcome: NOT ENOUGH RUNS TO DECIDE"
    assert page(found, "results").count("**Not enough runs to decide.**") == 1


def test_a_page_gets_the_results_their_file_and_their_figures(tmp_path: Path) -> None:
    docs = tmp_path / "results.md"
    docs.write_text("\n".join(["# Results", "", *MARKS, "", "The end"]))
    for name in ("curves.png", "divergence.png"):
        (tmp_path / name).write_bytes(name.encode())
    fill(docs, tmp_path, made())
    text = docs.read_text()
    assert text.index(MARKS[0]) < text.index("final test accuracy") < text.index(MARKS[1])
    assert text.endswith("The end")
    for name in ("curves.png", "divergence.png"):
        assert f"(results/{name})" in text
        assert (tmp_path / "results" / name).read_bytes() == name.encode()
    assert results.read(tmp_path / "results" / "curves.json") == results.without_paths(made())


def test_the_wall_shows_disagreements_first_and_leaves_room_for_the_others() -> None:
    labels = np.zeros(1000, int)
    ours, theirs = np.zeros(1000, int), np.zeros(1000, int)
    theirs[5::2] = 1
    networks = [
        Answer(seed=0, weights_sha256="", answers=tuple(map(int, answers)),
               probabilities=(0.5,) * 1000)
        for answers in (ours, theirs)
    ]  # fmt: skip
    found = wall(labels, *networks)
    agree = [prediction.agrees for prediction in found.predictions]
    assert found.disagreements == len(range(5, 1000, 2))
    assert agree == [False] * 120 + [True] * 80
    assert [p.index for p in found.predictions[:2]] == [5, 7]
    assert [p.index for p in found.predictions[120:123]] == [0, 1, 2]


def test_the_published_test_loss_is_the_mean_and_what_was_printed_is_kept() -> None:
    last = made().published.epochs[-1]
    assert last["printed_test_loss"] == 34.810
    assert last["test_loss"] == pytest.approx(34.810 * 10 / 313)
