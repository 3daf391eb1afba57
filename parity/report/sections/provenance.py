"""Where every number comes from, both sides beside each other, differences marked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parity.curves.results import Arm, Results
from parity.report.blocks import Block, Cell, Missing, Section, Table, cells
from parity.report.inputs import Inputs
from parity.report.words import short

_LEFT_OUT = ("start", "date")


def provenance(inputs: Inputs) -> Section:
    """A table each for the verdict, the trainings, the benchmarks and the scorecard."""
    blocks: list[Block] = []
    if inputs.verdict is not None:
        for lane, sides in inputs.verdict.provenance.items():
            both = [_flat(sides[side]) for side in ("reference", "port")]
            blocks.append(_beside(f"Stage by stage, {lane}", *both))
        if inputs.verdict.config:
            config = [dict(inputs.verdict.config.get(s, {})) for s in ("reference", "port")]
            blocks.append(_beside("Recipe and data of both sides", *map(_texts, config)))
    if inputs.curves is not None:
        arms = [_arm(arm) for arm in (inputs.curves.reference, inputs.curves.port)]
        blocks += [_beside("Whole trainings", *arms), _comparison(inputs.curves)]
    for results in inputs.benchmarks:
        about = {
            "device": results.device,
            "started": results.started,
            "commit": _git(results.git),
            **_flat(results.machine),
            **_flat(results.versions),
            **_flat(results.settings),
        }
        blocks.append(_single("Throughput", about))
    if inputs.scorecard is not None:
        about = {"date": inputs.scorecard.date, **_flat(inputs.scorecard.where)}
        blocks.append(_single("Planted bugs", about))
    missing = Missing("Nothing was given.", "python -m parity verify")
    return Section("provenance", "Provenance", tuple(blocks) or (missing,))


def _flat(values: Mapping[str, Any]) -> dict[str, str]:
    """Nested entries with dots; commits and digests shortened."""
    found: dict[str, str] = {}
    for key, value in values.items():
        if key in _LEFT_OUT:
            continue
        if key == "git":
            found["commit"] = _git(value)
        elif isinstance(value, Mapping):
            inner = {f"{key}.{name}": item for name, item in _flat(value).items()}
            found |= {name.removeprefix("versions."): item for name, item in inner.items()}
        else:
            found[key] = str(value)
    return found


def _git(state: Mapping[str, Any] | None) -> str:
    if not state:
        return "unknown"
    return short(str(state["commit"])) + (" and changed files" if state["changed_files"] else "")


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in values.items()}


def _arm(arm: Arm) -> dict[str, str]:
    return {
        "framework": arm.framework,
        **arm.versions,
        "python": arm.python,
        "platform": arm.platform,
        "device": arm.device,
        **{f"precision.{key}": value for key, value in arm.precision.items()},
        "threads": str(arm.threads),
        "commits": ", ".join(map(short, arm.commits)),
        **{f"code.{key}": value for key, value in arm.code.items()},
        "trained": " to ".join(arm.started),
        "learning rate": f"{arm.learning_rate:g}",
        "seeds": ", ".join(str(training.seed) for training in arm.trainings),
    }


def _comparison(curves: Results) -> Table:
    return _single("What was fixed before the first training", _flat(vars(curves.comparison)))


def _beside(caption: str, reference: Mapping[str, str], port: Mapping[str, str]) -> Table:
    rows, differing = [], 0
    for key in dict.fromkeys([*reference, *port]):
        ours, theirs = reference.get(key), port.get(key)
        differ = ours is not None and theirs is not None and ours != theirs
        differing += differ
        mark = Cell("differs", "warn") if differ else Cell("")
        rows.append((*cells(key, ours or "", theirs or ""), mark))
    caption += f" ({differing} of {len(rows)} differ)"
    return Table(caption, ("", "reference", "port", ""), tuple(rows), folded=True)


def _single(caption: str, values: Mapping[str, str]) -> Table:
    return Table(caption, ("", "value"), tuple(cells(*row) for row in values.items()), folded=True)
