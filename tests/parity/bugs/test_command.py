"""The command as it is: capture processes, judge, score."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from parity.bugs.bug import Bug
from parity.bugs.catalogue import bugs, choose
from parity.bugs.knobs import KNOBS, LEARNING_RATE
from parity.bugs.sensitivity import measure


def parity_bugs(*arguments: str, timeout: float = 500) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "parity", "bugs", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout)


def _score(done: subprocess.CompletedProcess[str], out: Path, expected: tuple[Bug, ...]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    card = json.loads(out.read_text())
    assert {line["name"] for line in card["lines"]} == {bug.name for bug in expected}
    assert all(line["detected"] and not line["missed"] for line in card["lines"])
    assert set(card["right_ports"].values()) == {""}


def test_fast_subset_is_found_whole(tmp_path: Path) -> None:
    done = parity_bugs("fast", "--out", str(tmp_path / "card.json"))
    _score(done, tmp_path / "card.json", choose(["fast"]))
    assert "MISSED" not in done.stdout


@pytest.mark.slow
def test_every_bug_is_found_at_its_stage_and_layer(tmp_path: Path) -> None:
    done = parity_bugs("--out", str(tmp_path / "card.json"), timeout=1500)
    _score(done, tmp_path / "card.json", bugs())


def test_list_plants_nothing() -> None:
    done = parity_bugs("--list")
    assert done.returncode == 0
    assert all(bug.name in done.stdout for bug in bugs())


def test_unknown_bug_ends_with_2_and_a_sentence() -> None:
    done = parity_bugs("flaten-order")
    assert done.returncode == 2
    assert done.stderr.startswith("error: no bug 'flaten-order'")
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_an_error_of_1e_8_is_seen_in_a_weight_and_in_the_learning_rate() -> None:
    found = {each.title: each for each in measure(KNOBS[:3], print, sizes=(1e-8,)).limits}
    for knob in KNOBS[:2]:
        assert found[knob.title].says["weights"].startswith("fc1.weight is not what was loaded")
    assert "in step 1" in found[LEARNING_RATE.title].says["update"]
