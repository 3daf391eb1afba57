"""The stages of the verdict: a table, and where the port departs first."""

from __future__ import annotations

from parity.layer_tree import layer_tree
from parity.report.blocks import Block, Cell, Code, Mark, Missing, Section, Table, cells
from parity.report.words import number
from parity.verdict import StageResult, Verdict

_MARKS: dict[str, Mark] = {"pass": "good", "fail": "bad", "waived": "warn", "skipped": "warn"}
_WORDS = {"pass": "pass", "fail": "FAIL", "waived": "waived", "skipped": "skipped"}


def stages(verdict: Verdict | None) -> Section:
    """A line a stage and lane."""
    key, title = "stages", "Stage by stage"
    if verdict is None:
        return Section(key, title, (Missing("No verdict was given.", "python -m parity verify"),))
    table = Table(
        f"{verdict.pair}, seed {verdict.seed}: the tolerance that each stage would have needed, "
        "and the one that it has. float64: normwise relative error; other lanes: multiples of the "
        "reference's own rounding noise; init: a share of the tests' bounds",
        ("stage", "lane", "verdict", "needed", "allowed", "what was compared"),
        tuple(map(_row, verdict.results)),
    )
    blocks: list[Block] = [table]
    departure = verdict.first_departure
    if departure is not None and departure.layer:
        tree = "\n".join(layer_tree(verdict.layers, departure))
        blocks.append(Code(f"First departure: {departure.text}", tree))
    return Section(key, title, tuple(blocks))


def _row(result: StageResult) -> tuple[Cell, ...]:
    return cells(
        result.stage,
        result.lane,
        Cell(_WORDS[result.status], _MARKS[result.status]),
        Cell(number(result.needed), "number"),
        Cell(number(result.tolerance), "number"),
        result.summary,
    )
