"""The recipe of a comparison is fixed before the first training, and no folder holds two."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from parity.__main__ import main
from parity.curves.comparison import Comparison, ComparisonError, fix, read_comparison
from parity.curves.files import CurvesFileError


def test_is_written_once_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "new" / "comparison.json"
    fix(Comparison(seeds=3), path)
    before = path.read_bytes()
    fix(Comparison(seeds=3), path)
    assert path.read_bytes() == before
    assert read_comparison(path) == Comparison(seeds=3)


@pytest.mark.parametrize(
    ("name", "value"),
    [("alpha", 0.1), ("loss_margin", 0.5), ("seeds", 7), ("data", "cifar10"),
     ("port_learning_rate", 0.011), ("port_drop_last", True)],
)  # fmt: skip
def test_another_one_is_refused_with_the_difference(
    tmp_path: Path, name: str, value: object
) -> None:
    path = tmp_path / "comparison.json"
    usual = Comparison()
    fix(usual, path)
    with pytest.raises(ComparisonError) as caught:
        fix(dataclasses.replace(usual, **{name: value}), path)  # type: ignore[arg-type]
    assert f"{name}: {value!r} here, {getattr(usual, name)!r} there" in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "comparison.json"
    fix(Comparison(), path)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(CurvesFileError, match="cut off"):
        fix(Comparison(), path)


def test_values_that_make_no_comparison_are_all_named() -> None:
    with pytest.raises(ComparisonError) as caught:
        Comparison(seeds=0, noise_runs=0, alpha=0.9, loss_margin=float("nan"))
    for name in ("seeds", "noise_runs", "alpha", "loss_margin"):
        assert f"{name}: found" in str(caught.value)


def test_the_command_refuses_another_comparison_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fix(Comparison(), tmp_path / "comparison.json")
    assert main(["curves", "--out", str(tmp_path), "--loss-margin", "0.2"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert "loss_margin: 0.2 here, 0.025 there" in error
    assert sorted(p.name for p in tmp_path.iterdir()) == [".lock", "comparison.json"]


@pytest.mark.parametrize("words", [["--jobs", "0"], ["--seeds", "-1"], ["--alpha", "2"]])
def test_the_command_refuses_impossible_numbers(
    tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["curves", "--out", str(tmp_path / "new"), *words]) == 2
    assert words[0].removeprefix("--") in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_planted_differences_are_said_in_words() -> None:
    assert Comparison().planted == ()
    said = Comparison(port_learning_rate=0.011, port_drop_last=True).planted
    assert said == (
        "learning rate 0.011 instead of 0.01",
        "the last, short batch of every epoch left out",
    )
