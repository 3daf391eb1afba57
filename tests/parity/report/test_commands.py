"""`verify` leaves a report beside its verdict; an earlier one never stays for a later verdict's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., CompletedProcess[str]]
PAIR = Path(__file__).parents[1] / "capture" / "right_pairs.py"


@pytest.mark.slow
def test_verify_leaves_a_report_unless_told_not_to(tmp_path: Path, command: Run) -> None:
    place = tmp_path / "a folder" / "that is made"
    out = ("--out", place / "verdict.json", "--stages", "weights,forward")
    done = command("parity", "verify", f"{PAIR}:PLAIN", *out)
    assert done.returncode == 0, done.stderr
    html, text = place / "report" / "report.html", place / "report" / "report.md"
    assert f"report written to {html}" in done.stdout
    assert "Equivalent: every stage" in html.read_text()
    assert "Equivalent: every stage" in text.read_text()
    assert (place / "report" / "figures" / "layers.png").exists()
    text.unlink()
    html.unlink()
    done = command("parity", "verify", f"{PAIR}:PLAIN", *out, "--no-report")
    assert done.returncode == 0, done.stderr
    assert not html.exists()


def test_comparison_that_cannot_be_made_takes_the_old_report_away(
    tmp_path: Path, command: Run
) -> None:
    folder = tmp_path / "report"
    folder.mkdir()
    for name in ("report.html", "report.md"):
        (folder / name).write_text("Equivalent")
    done = command("parity", "verify", tmp_path / "no.py", "--out", tmp_path / "verdict.json")
    assert done.returncode == 2
    assert json.loads((tmp_path / "verdict.json").read_text())["exit_code"] == 2
    assert not list(folder.iterdir())
