"""What cannot be reported is refused by name, and nothing is written."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import made
import pytest

from experiment.errors import UserError
from parity.curves import results as curve_results
from parity.failed_verdict import write_failed_verdict
from parity.report.inputs import ReportInputError, read_inputs
from parity.report.sections.wall import PicturesError, read_pictures
from parity.verdict import write_verdict

Run = Callable[..., CompletedProcess[str]]
FILES = ("verdict.json", "curves.json", "benchmarks.json", "porting-bugs.json")


def test_finds_one_of_each_in_folders_and_by_name(folder: Path, tmp_path: Path) -> None:
    found = read_inputs([folder])
    assert found.verdict is not None
    assert found.curves is not None
    assert found.scorecard is not None
    assert len(found.benchmarks) == 1
    alone = read_inputs([folder / "porting-bugs.json"])
    assert alone.scorecard == found.scorecard
    assert alone.verdict is alone.curves is None
    assert read_inputs([folder, folder / "verdict.json"]) == found  # the same file, named twice


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["cut off", "foreign", "empty", "no text"])
def test_damaged_file_is_named(folder: Path, name: str, damage: str) -> None:
    file = folder / name
    content = file.read_bytes()
    broken = {"cut off": content[: len(content) // 2], "foreign": b'{"a": 1}', "empty": b"",
              "no text": b"\xff\xfe\x00"}  # fmt: skip
    file.write_bytes(broken[damage])
    with pytest.raises(UserError) as caught:
        read_inputs([folder])
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("name", FILES)
def test_other_version_is_refused(folder: Path, name: str) -> None:
    content = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**content, "schema": 99}))
    with pytest.raises(UserError, match="schema"):
        read_inputs([folder])


def test_places_without_results_are_refused(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ReportInputError) as caught:
            read_inputs([place])
        assert str(place) in str(caught.value)
        assert "python -m parity verify" in str(caught.value)
    (tmp_path / "notes.json").write_text("{}")
    with pytest.raises(ReportInputError, match=r"notes\.json"):
        read_inputs([tmp_path / "notes.json"])


def test_verdict_that_was_never_reached_is_no_verdict(tmp_path: Path) -> None:
    write_failed_verdict(tmp_path / "verdict.json", "pair", 0, "the capture crashed")
    with pytest.raises(UserError, match="the capture crashed"):
        read_inputs([tmp_path])


def test_two_verdicts_are_two_runs(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(folder / "verdict.json", other)
    with pytest.raises(ReportInputError) as caught:
        read_inputs([folder, other])
    assert str(folder / "verdict.json") in str(caught.value)
    assert str(other / "verdict.json") in str(caught.value)


@pytest.mark.parametrize("what", ["pair", "pictures", "code of the port"])
def test_files_of_different_runs_are_not_mixed(
    folder: Path, trained: curve_results.Results, what: str
) -> None:
    sha256 = trained.pictures.sha256
    if what == "code of the port":
        port = dataclasses.replace(trained.port, code={"experiment": "e" * 16})
        curve_results.write(folder / "curves.json", dataclasses.replace(trained, port=port))
    else:
        pair = "my_pair.py" if what == "pair" else "cifar10_cnn"
        other = made.verdict(pair, sha256="0" * 64 if what == "pictures" else sha256)
        write_verdict(folder / "verdict.json", other)
    with pytest.raises(ReportInputError, match=what) as caught:
        read_inputs([folder])
    assert str(folder / "curves.json") in str(caught.value)


def test_pictures_must_be_those_that_were_trained_on(trained: curve_results.Results) -> None:
    pictures = dataclasses.replace(trained.pictures, sha256="0" * 64)
    with pytest.raises(PicturesError, match="--no-pictures"):
        read_pictures(dataclasses.replace(trained, pictures=pictures), None)


def test_command_says_so_and_leaves_nothing_behind(
    folder: Path, tmp_path: Path, command: Run
) -> None:
    (folder / "curves.json").write_text("{")
    done = command("parity", "report", folder, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert str(folder / "curves.json") in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
