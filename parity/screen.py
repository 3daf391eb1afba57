"""A verdict as text: one line a stage, then where the first failing one departs. NumPy only."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence

from parity.timeline import is_inside
from parity.verdict import Departure, Hint, StageResult, Verdict

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
        lines += ["", *_tree(verdict, departure)]
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


def _tree(verdict: Verdict, departure: Departure) -> list[str]:
    """The layers, indented; the culprit marked. Insides of containers that agree are left out."""
    lines = []
    for layer in verdict.layers:
        depth = layer.path.count(".")
        top = layer.path.split(".")[0]
        if depth and not (is_inside(departure.layer, top) or departure.layer == top):
            continue
        kind = layer.kind.rpartition(".")[2]
        here = "   <<< HERE" if layer.path == departure.layer else ""
        name = layer.path.rpartition(".")[2]
        port = f"  = {layer.port_path}" if layer.port_path else ""
        lines.append(f"  {'  ' * depth}{name} ({kind}){port}{here}")
    return lines


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
    own = departure.introduced
    if own is not None:
        words = "departs by itself" if own > row.limit else "by itself it agrees: inherited"
        lines.append(f"  introduced by the layer: {_number(own)} ({words})")
    if row.worst is not None:
        index = ", ".join(map(str, row.worst))
        lines.append(
            f"  worst at [{index}] of {list(row.shape)}: reference {row.reference_value!r}, port "
            f"{row.port_value!r}"
        )
    elif row.fault and row.fault not in departure.text:
        lines += _wrapped(row.fault, "  ")
    return lines


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
