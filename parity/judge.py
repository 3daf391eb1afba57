"""The judge: from captures to a verdict. NumPy only; no framework is needed to judge.

from parity.judge import judge
verdict = judge([LaneEvidence("float64", reference, port)])
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from parity.evidence import PROOF_LANE, LaneEvidence, check_evidence
from parity.grouping import grouped
from parity.hints import find_hint
from parity.stages import (
    config,
    data,
    envelope,
    evaluation,
    forward,
    gradient,
    init,
    loss,
    state,
    trajectory,
    update,
    weights,
)
from parity.stages.case import Case
from parity.stages.names import SELF_CHECKS, STAGES, check_stages, stages_of
from parity.stages.self_checks import judge as judge_checks
from parity.verdict import Layer, StageResult, Verdict

_JUDGES: Mapping[str, Callable[[Case], StageResult]] = {
    "config": config.judge,
    "data": data.judge,
    "weights": weights.judge,
    "init": init.judge,
    "forward": forward.judge,
    "loss": loss.judge,
    "gradient": gradient.judge,
    "update": update.judge,
    "state": state.judge,
    "eval": evaluation.judge,
    "trajectory": trajectory.judge,
    "envelope": envelope.judge,
}

_PROVENANCE = (
    "framework", "versions", "python", "platform", "device", "threads", "precision", "date",
    "start", "git", "code",
)  # fmt: skip


def judge(
    lanes: Sequence[LaneEvidence],
    stages: Iterable[str] = STAGES,
    date: str | None = None,
) -> Verdict:
    """Judge every lane, stage by stage; stages that are not chosen are 'skipped'.

    Raises `EvidenceError` for captures that do not belong together or a reference that is no
    number, and `StageError` for a stage that does not exist.
    """
    chosen = check_stages(stages)
    check_evidence(lanes)
    cases = _cases(lanes)
    results = [_hinted(case, judge_checks(case)) for case in cases]
    for stage in STAGES:
        results += [
            _judge_stage(stage, case, chosen) for case in cases if stage in stages_of(case.lane)
        ]
    first = next((case for case in cases if case.lane == PROOF_LANE), cases[0])
    about = first.evidence.reference.about
    return Verdict(
        pair=about["pair"],
        seed=about["seed"],
        nonce=about["nonce"],
        date=date or datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        lanes=tuple(case.lane for case in cases),
        results=tuple(results),
        layers=_layers(first),
        suspects=first.suspects,
        waivers=_unique(line for result in results for line in result.waivers),
        skips=_unique(
            f"{r.stage}, {r.lane}: {r.summary}" for r in results if r.status == "skipped"
        ),
        promoted=_unique(p for case in cases for p in case.evidence.port.about.get("promoted", [])),
        notes=_notes(cases, results),
        aside=_aside(first),
        checks=tuple(check for case in cases for check in _checks(case)),
        provenance=_provenance(cases),
        config=_sides(first, "config"),
        sources=_sides(first, "source"),
        distributions=init.distributions(first),
    )


def _cases(lanes: Sequence[LaneEvidence]) -> list[Case]:
    """A case a lane; all but the proof lane's know that one."""
    found = {e.lane: Case(e) for e in lanes if e.lane == PROOF_LANE}
    proof = found.get(PROOF_LANE)
    return [found[e.lane] if e.lane in found else Case(e, proof) for e in lanes]


def _judge_stage(stage: str, case: Case, chosen: frozenset[str]) -> StageResult:
    if stage not in chosen:
        return case.skipped(stage, "not chosen (--stages)")
    return _hinted(case, _JUDGES[stage](case))


def _hinted(case: Case, result: StageResult) -> StageResult:
    if result.departure is None:
        return result
    hint = find_hint(case, result.departure)
    return replace(result, departure=replace(result.departure, hint=hint))


def _layers(case: Case) -> tuple[Layer, ...]:
    return tuple(
        Layer(path=path, kind=kind, port_path=case.port_layer(path))
        for path, kind in case.layers.items()
    )


def _notes(cases: list[Case], results: list[StageResult]) -> tuple[str, ...]:
    lines = [f"{r.stage}, {r.lane}: {note}" for r in results for note in r.notes]
    for case in cases:
        for side in (case.evidence.reference, case.evidence.port):
            lines += [f"{side.about['side']}: {note}" for note in side.about.get("notes", [])]
        for what, reasons in _aside(case).items():
            lines += [f"{what}: {text}" for text in grouped(reasons)]
    return _unique(lines)


_ASIDE = {
    "uncompared": "not compared",
    "unforced": "not run alone",
    "port_only": "in the port only",
}


def _aside(case: Case) -> dict[str, dict[str, str]]:
    """What the notes shorten, whole: heading -> name -> why."""
    port = case.evidence.port.about
    found = {what: dict(port.get(key, {})) for key, what in _ASIDE.items()}
    found["matched by type and shape"] = dict.fromkeys(port.get("by_shape", []), "")
    for side, names in port.get("left_out", {}).items():
        found[f"left out of the {side}"] = dict(names)
    return {what: reasons for what, reasons in found.items() if reasons}


def _checks(case: Case) -> list[dict[str, Any]]:
    return [
        {"lane": case.lane, "side": side.about["side"], "name": name, **outcome}
        for side in (case.evidence.reference, case.evidence.port)
        for name, outcome in side.about.get("checks", {}).items()
    ]


def _provenance(cases: list[Case]) -> dict[str, Any]:
    return {
        case.lane: {
            side.about["side"]: {key: side.about[key] for key in _PROVENANCE if key in side.about}
            for side in (case.evidence.reference, case.evidence.port)
        }
        for case in cases
    }


def _sides(case: Case, key: str) -> dict[str, dict[str, Any]]:
    """An entry of both captures' headers, by side; of those that have it."""
    sides = (case.evidence.reference.about, case.evidence.port.about)
    return {about["side"]: dict(about[key]) for about in sides if about.get(key)}


def _unique(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines))


__all__ = ["SELF_CHECKS", "judge"]
