"""A verdict as text: one line a stage, then where the first failing one departs. NumPy only."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence

from parity.grouping import listed
from parity.layer_tree import layer_tree
from parity.verdict import Departure, Hint, Row, StageResult, Verdict

WIDTH = 100
"""Columns."""

_WORDS = {"pass": "pass", "fail": "FAIL", "waived": "waived", "skipped": "skipped"}

UNITS = (
    "needed: the tolerance with which the stage would have passed. float64: normwise relative "
    "error; other lanes: multiples of the reference's own rounding noise."
)


def render(verdict: Verdict) -> str:
    """The whole verdict as plain text, at most 100 columns wide where names allow it."""
    parts = [_title(verdict), *table(verdict), ""]
    if (departure := verdict.first_departure) is not None:
        parts += [*_departure(verdict, departure), ""]
    sections = (
        ("settings that differ, which may be the cause", _suspects(verdict)),
        ("waived", verdict.waivers),
        ("skipped", verdict.skips),
        ("raised to float64", verdict.promoted),
        ("notes", verdict.notes),
    )
    for title, lines in sections:
        parts += _section(title, lines)
    parts.append(_conclusion(verdict))
    return "\n".join(parts)


def table(verdict: Verdict) -> list[str]:
    """A line a stage and lane: status, tolerance needed and allowed, and what was compared."""
    header = ("stage", "lane", "status", "needed", "allowed", "")
    rows = [header, *(_cells(result) for result in verdict.results)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    rest = WIDTH - sum(widths) - 2 * len(widths)
    lines = []
    for row in rows:
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row[:5], widths, strict=True))
        lines.append(f"{cells}  {_short(row[5], rest)}".rstrip())
    return [lines[0], "-" * WIDTH, *lines[1:]]


def markdown(verdict: Verdict) -> str:
    """The table for documents: a line a stage, two columns a lane."""
    titles = [f"{lane}: {what}" for lane in verdict.lanes for what in ("verdict", "needed")]
    lines = [
        "| " + " | ".join(["stage", *titles]) + " |",
        "|---" * (1 + len(titles)) + "|",
    ]
    for stage in dict.fromkeys(result.stage for result in verdict.results):
        found = {r.lane: r for r in verdict.results if r.stage == stage}
        cells = [
            cell
            for lane in verdict.lanes
            for cell in (
                (_WORDS[found[lane].status], _needed(found[lane])) if lane in found else ("", "")
            )
        ]
        lines.append("| " + " | ".join([stage, *cells]) + " |")
    limits = {r.lane: r.tolerance for r in verdict.results if r.stage != "init" and r.tolerance}
    allowed = ", ".join(f"{lane} {limit:.3g}" for lane, limit in limits.items())
    return "\n".join([*lines, "", f"Allowed: {allowed}. {UNITS[0].upper()}{UNITS[1:]}"])


def _suspects(verdict: Verdict) -> list[str]:
    """Only where something departs: what changes no number is spelled otherwise, and no fault."""
    if verdict.passed:
        return []
    shown = verdict.first_departure.suspects if verdict.first_departure else ()
    layers: dict[str, list[str]] = {}
    for suspect in verdict.suspects:
        if suspect not in shown:
            sides = f"{suspect.reference_value} in the reference, {suspect.port_value} in the port"
            layers.setdefault(f"{suspect.setting}: {sides}", []).append(suspect.layer)
    return [f"{listed(found)}: {text}" for text, found in layers.items()]


def _title(verdict: Verdict) -> str:
    return f"parity of {verdict.pair}, seed {verdict.seed}, {verdict.date}"


def _cells(result: StageResult) -> tuple[str, ...]:
    allowed = "" if result.tolerance is None else _number(result.tolerance)
    summary = result.summary
    return (result.stage, result.lane, _WORDS[result.status], _needed(result), allowed, summary)


def _needed(result: StageResult) -> str:
    return "" if result.needed is None else _number(result.needed)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if not math.isfinite(value):
        return str(value)
    return "0" if value == 0 else f"{value:.1e}" if not 0.01 <= abs(value) < 1e4 else f"{value:.3g}"


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _departure(verdict: Verdict, departure: Departure) -> list[str]:
    lines = _wrapped(f"First departure: {departure.stage}, {departure.lane}: {departure.text}", "")
    if departure.layer:
        lines += ["", *layer_tree(verdict.layers, departure)]
    lines += ["", *_numbers(departure)]
    if departure.also:
        lines += _wrapped(f"departing by themselves, too: {', '.join(departure.also)}", "  ")
    if departure.hint:
        lines += _wrapped(f"hint: {departure.hint.text}{_catalogue(departure.hint)}", "  ")
    for suspect in departure.suspects:
        lines += _wrapped(f"suspect: {suspect.text}", "  ")
    return lines


def _catalogue(hint: Hint) -> str:
    return f" [porting bug {hint.bug}]" if hint.bug else ""


def _numbers(departure: Departure) -> list[str]:
    row = departure.row
    if row is None:
        return []
    lines = []
    if row.limit:
        times = "" if departure.lane == "float64" else " times the reference's noise"
        lines += _wrapped(
            f"{row.what}: needed {_number(row.needed)}{times}, allowed {_number(row.limit)}", "  "
        )
    lines += _introduced(departure, row)
    if row.reference_value is not None and row.port_value is not None:
        values = f"reference {row.reference_value:.12g}, port {row.port_value:.12g}"
        index = ", ".join(map(str, row.worst or ()))
        where = f"worst at [{index}] of {list(row.shape)}: " if index else ""
        spread = "standard deviation: " if departure.stage == "init" else ""
        lines.append(f"  {where}{spread}{values}")
    elif row.fault and row.fault not in departure.text:
        lines += _wrapped(row.fault, "  ")
    return lines


def _introduced(departure: Departure, row: Row) -> list[str]:
    """What the suspect adds by itself, given the oracle's numbers."""
    own = departure.introduced
    if own is None:
        return []
    who = "the optimizer" if departure.place == "step" else departure.layer or "it"
    if own > row.limit:
        words = f"introduced by {who} alone, given the oracle's numbers: {_number(own)}"
    elif departure.place == "between":
        words = f"{who} alone, given the oracle's numbers: {_number(own)}; it is not to blame"
    else:
        words = f"{who} alone, given the oracle's numbers, agrees: {_number(own)}; inherited"
    return [f"  {words}"]


def _section(title: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    return [f"{title}:", *(part for line in lines for part in _wrapped(line, "  ")), ""]


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _conclusion(verdict: Verdict) -> str:
    if not verdict.passed:
        failed = dict.fromkeys(r.stage for r in verdict.results if r.status == "fail")
        return f"FAIL: {', '.join(failed)}"
    counted = _counted(result.status for result in verdict.results)
    return f"PASS: {counted}"


def _counted(statuses: Iterable[str]) -> str:
    found = list(statuses)
    kinds = {"pass": "passed", "waived": "waived", "skipped": "skipped"}
    return ", ".join(f"{found.count(k)} {words}" for k, words in kinds.items() if k in found)
