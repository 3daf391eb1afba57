"""Everything that was waived, skipped, raised to float64 or noted."""

from __future__ import annotations

from parity.report.blocks import Block, Listing, Missing, Section, Text
from parity.verdict import Verdict


def exceptions(verdict: Verdict | None) -> Section:
    """In full: nothing is shortened here."""
    key, title = "exceptions", "Waivers and skips"
    if verdict is None:
        return Section(key, title, (Missing("No verdict was given.", "python -m parity verify"),))
    aside = [
        f"{heading}: {name}: {why}"
        for heading, entries in verdict.aside.items()
        for name, why in entries.items()
    ]
    parts = (
        ("Waived", verdict.waivers),
        ("Skipped", verdict.skips),
        ("Raised to float64", verdict.promoted),
        ("Notes", verdict.notes),
        ("Notes in full", tuple(aside)),
    )
    blocks: list[Block] = [Listing(heading, lines) for heading, lines in parts if lines]
    if not verdict.waivers:
        blocks.insert(0, Text("Nothing was waived."))
    return Section(key, title, tuple(blocks))
