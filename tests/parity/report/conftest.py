"""Made-up files of the harness, as its commands leave them in folders."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from experiment import benchmark_results
from experiment.cifar10 import load
from parity.bugs.scorecard import write_scorecard
from parity.curves import results as curve_results
from parity.verdict import write_verdict

sys.path.insert(0, str(Path(__file__).parents[1] / "curves"))
sys.path.insert(0, str(Path(__file__).parent))

import made
import recorded


@pytest.fixture(scope="session")
def trained(small_cifar10: Path) -> curve_results.Results:
    """A comparison on those pictures."""
    found = load(str(small_cifar10))
    model = recorded.results()
    of_them = dataclasses.replace(model.pictures, sha256=found.fingerprint)
    comparison = dataclasses.replace(model.comparison, data=str(small_cifar10))
    return dataclasses.replace(model, pictures=of_them, comparison=comparison)


def fill(place: Path, trained: curve_results.Results) -> Path:
    """One of each kind."""
    place.mkdir()
    write_verdict(place / "verdict.json", made.verdict(sha256=trained.pictures.sha256))
    curve_results.write(place / "curves.json", trained)
    benchmark_results.write(place / "benchmarks.json", made.benchmarks())
    write_scorecard(place / "porting-bugs.json", made.scorecard())
    return place


@pytest.fixture
def folder(tmp_path: Path, trained: curve_results.Results) -> Path:
    """One of each kind, for one test."""
    return fill(tmp_path / "found", trained)


@pytest.fixture(scope="session")
def report(
    tmp_path_factory: pytest.TempPathFactory,
    trained: curve_results.Results,
    command: Callable[..., CompletedProcess[str]],
) -> Path:
    """The page of one of each kind, written by the command."""
    place = tmp_path_factory.mktemp("report")
    done = command("parity", "report", fill(place / "found", trained), "--out", place / "out")
    assert done.returncode == 0, done.stderr
    return place / "out" / "report.html"
