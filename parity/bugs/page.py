"""docs/porting-bugs.md: the catalogue for people who port models."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from parity.bugs.bug import Bug, NotPlanted
from parity.bugs.scorecard import Line, Scorecard
from parity.bugs.screen import score_table
from parity.bugs.sources import source

_CHAPTERS = (
    (1, 6, "Initialisation"),
    (7, 16, "Layouts, convolutions and pooling"),
    (17, 25, "Normalization and activations"),
    (26, 30, "Gradients of simple functions, resizing"),
    (31, 34, "Recurrence and attention"),
    (35, 40, "Losses and records"),
    (41, 52, "Optimizers and training"),
    (53, 58, "Data and settings"),
    (59, 62, "Everything else"),
)

_HEAD = """\
# Bugs that people make when they port PyTorch to JAX

<!-- written by python -m parity bugs -->

Each of these was planted into a right port, alone, and `python -m parity bugs` checked that the
harness finds it, at the stage and the layer where it begins. The code is the code that was run.
*First shows* is the first stage of the proof in float64 that can see it; the number is the relative
error there, on small models. A right port has errors below 1e-14.

What to look at first, where a port is worse than its reference and nobody knows why: the stages in
their order. A bug at *init* or *data* is invisible to everybody who copies weights and compares
outputs; a bug at *gradient* or *update* has outputs that agree to the last bit.

"""


def page(
    card: Scorecard,
    bugs: Sequence[Bug],
    left_out: Sequence[NotPlanted],
    data: str,
    limits: str = "",
) -> str:
    """Markdown; `data` is the scorecard's file, as the page links it, `limits` the table of
    `parity.bugs.sensitivity`."""
    lines = {line.name: line for line in card.lines}
    found = [(bug, lines[bug.name]) for bug in bugs if bug.name in lines]
    parts = [_HEAD, score_table(card), "\n\n", _overview(found)]
    for first, last, title in _CHAPTERS:
        inside = [each for each in found if first <= each[0].row <= last]
        if inside:
            parts.append(f"\n## {title}\n")
            parts += [_section(bug, line) for bug, line in inside]
    parts.append(_not_planted(left_out))
    if limits:
        parts.append(f"\n{limits}")
    parts.append(f"\n## Source\n\n[{data.rpartition('/')[2]}]({data}), with every text in full.\n")
    return "".join(parts)


def _overview(found: Iterable[tuple[Bug, Line]]) -> str:
    rows = [
        f"| {bug.row} | [{bug.title}](#{bug.name}) | {line.stage} | "
        f"{f'`{line.layer}`' if bug.layer else ''} | {_size(line)} |"
        for bug, line in found
    ]
    return "\n".join(["| # | mistake | first shows | layer | error |", "|--:|---|---|---|--:|",
                      *rows, ""])  # fmt: skip


def _section(bug: Bug, line: Line) -> str:
    topic = bug.subject.topic
    said = line.text + (f"\nHint: {line.hint_text}" if line.hint_text else "")
    return (
        f'\n<a id="{bug.name}"></a>\n\n### {bug.row}. {bug.title}\n\n{bug.symptom}\n\n'
        f"Wrong:\n\n```python\n{source(topic, bug.wrong)}\n```\n\n"
        f"Right:\n\n```python\n{source(topic, bug.right)}\n```\n\n"
        f"First shows: **{line.stage}**{f', at `{bug.layer}`' if bug.layer else ''}"
        f"{f', with an error of {_size(line)}' if _size(line) else ''}. The harness says:\n\n"
        f"{_quoted(said)}\n\nSource: {bug.source}. "
        f"`python -m parity bugs {bug.name}`\n"
    )


def _quoted(text: str) -> str:
    lines = [part for line in text.splitlines() for part in textwrap.wrap(line, 96) or [""]]
    return "\n".join(f"    {line}".rstrip() for line in lines)


def _size(line: Line) -> str:
    """Empty at the stages whose numbers are no relative errors."""
    if line.error is None or line.stage in ("config", "data", "init"):
        return ""
    return f"{line.error:.2g}"


def _not_planted(left_out: Sequence[NotPlanted]) -> str:
    if not left_out:
        return ""
    rows = [f"- {entry.row}. {entry.title}: {entry.why}\n" for entry in left_out]
    return "\n## Not planted\n\n" + "".join(rows)
