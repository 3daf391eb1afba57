"""The verdict's table in a page of the documents, between its marks. NumPy only."""

from __future__ import annotations

from pathlib import Path

from experiment.results import fill_page
from experiment.storage import write_atomically
from parity.screen import markdown
from parity.verdict import Verdict

MARKS = ("<!-- verdict: written by python -m parity verify -->", "<!-- verdict: end -->")
"""The lines between which the table stands."""


def fill(page: Path, verdict: Verdict) -> None:
    """Write the table into a page that has the marks. Raises `ResultsError` and `OSError`."""
    text = f"{markdown(verdict)}\n\n{_where(verdict)}\n"
    write_atomically(page, fill_page(page.read_text(), text, MARKS, str(page)).encode())


def _where(verdict: Verdict) -> str:
    """Device, versions, date."""
    sides = verdict.provenance[verdict.lanes[0]].values()
    versions = {name: v for side in sides for name, v in side["versions"].items()}
    shown = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    devices = {side["device"] for lane in verdict.provenance.values() for side in lane.values()}
    return f"Seed {verdict.seed}, {verdict.date[:10]}, {', '.join(sorted(devices))}; {shown}."
