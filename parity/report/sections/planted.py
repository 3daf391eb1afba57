"""What the harness finds when known mistakes are planted."""

from __future__ import annotations

from parity.bugs.scorecard import Line, Scorecard
from parity.report.blocks import Cell, Listing, Missing, Section, Table, cells
from parity.report.words import number


def planted(card: Scorecard | None) -> Section:
    """The score, and a line a bug."""
    key, title = "bugs", "Planted bugs"
    if card is None:
        missing = Missing(
            "No scorecard was given.", "python -m parity bugs --out porting-bugs.json"
        )
        return Section(key, title, (missing,))
    head = ("#", "mistake", "planted into", "found at stage", "layer", "hint", "error", "score")
    table = Table("Every planted bug", head, tuple(map(_row, card.lines)), folded=True)
    said = (*card.summary, f"measured {card.date[:10]}, {card.seconds:.0f} s")
    return Section(key, title, (Listing("Known porting bugs, planted one at a time", said), table))


def _row(line: Line) -> tuple[Cell, ...]:
    hint = {None: "", True: "right", False: "missed"}[line.hint_right]
    score = Cell("found", "good") if not line.missed else Cell("; ".join(line.missed), "bad")
    return (
        Cell(str(line.row), "number"),
        *cells(line.name, line.subject, line.stage, line.layer, hint),
        Cell(number(line.error), "number"),
        score,
    )
