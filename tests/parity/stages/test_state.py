"""Buffers: batch norm's variance is ruled on, everything else must agree."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from parity.capture.capture_file import Capture
from parity.evidence import LaneEvidence
from parity.judge import judge
from parity.verdict import StageResult, Verdict

TIMES = ("train", "update/1", "update/2", "update/3", "update/4")
NAME = "bn.running_var"
N = 8
"""Values that a variance is taken over: the unbiased one is N / (N - 1) of the biased."""


def with_layer(structure: str, kind: str) -> str:
    """The structure with a batch norm in it."""
    data = json.loads(structure)
    settings = {"momentum": 0.1} if kind.startswith("torch") else {}
    data["modules"].append({
        "path": "bn", "kind": kind, "bases": [], "settings": settings, "tensors": [], "aliases": [],
    })  # fmt: skip
    return json.dumps(data)


@pytest.fixture
def lane(
    reference: Capture, port: Capture, edit: Callable[..., Capture]
) -> Callable[..., LaneEvidence]:
    """Evidence with a batch norm whose statistics the reference tracks rightly.

    `theirs` makes the port's running variance of (start, unbiased, biased).
    """
    random = np.random.default_rng(0)
    start = random.uniform(0.5, 1.5, 3)
    biased, unbiased = {}, {}
    old_biased = old_unbiased = start
    for time in TIMES:
        batch = random.uniform(1, 2, 3)
        old_biased = 0.9 * old_biased + 0.1 * batch
        old_unbiased = 0.9 * old_unbiased + 0.1 * batch * N / (N - 1)
        biased[time], unbiased[time] = old_biased, old_unbiased
    truth: dict[str, Any] = {f"weight/{NAME}": start}
    truth |= {f"{t}/buffer/{NAME}": v for t, v in unbiased.items()}
    truth |= {f"biased/{t}/buffer/{NAME}": v for t, v in biased.items()}
    about = {"structure": with_layer(reference.about["structure"], "torch.nn.BatchNorm2d")}
    ours = edit(reference, truth, **about)

    def build(
        theirs: Callable[..., np.ndarray], kind: str = "mine.Norm", **more: Any
    ) -> LaneEvidence:
        arrays: dict[str, Any] = {f"weight/{NAME}": start} | {
            f"{t}/buffer/{NAME}": theirs(start, unbiased[t], biased[t]) for t in TIMES
        }
        header = {
            "structure": with_layer(port.about["structure"], kind),
            "modules": {**port.about["modules"], "bn": "bn"},
        }
        return LaneEvidence("float64", ours, edit(port, arrays | more, **header))

    return build


def result(evidence: LaneEvidence, name: str = "state") -> StageResult:
    return next(r for r in judge([evidence]).results if r.stage == name)


def test_right_statistics_pass(lane: Callable[..., LaneEvidence]) -> None:
    assert result(lane(lambda start, unbiased, biased: unbiased)).status == "pass"


def test_stock_batch_norm_is_waived_in_full_words(lane: Callable[..., LaneEvidence]) -> None:
    found = result(lane(lambda start, unbiased, biased: biased, "flax.nnx.BatchNorm"))
    assert found.status == "waived"
    assert "biased" in found.summary
    assert found.waivers


def test_biased_variance_of_any_other_class_fails(lane: Callable[..., LaneEvidence]) -> None:
    found = result(lane(lambda start, unbiased, biased: biased))
    assert found.status == "fail"
    assert found.departure is not None
    assert found.departure.layer == "bn"
    assert found.departure.hint is not None
    assert found.departure.hint.bug == 19


def test_stock_batch_norm_with_another_fault_fails(lane: Callable[..., LaneEvidence]) -> None:
    def inverted(start: Any, unbiased: Any, biased: Any) -> np.ndarray:
        return start + 9 * (biased - start)

    assert result(lane(inverted, "flax.nnx.BatchNorm")).status == "fail"


def test_inverted_momentum_is_recognised(lane: Callable[..., LaneEvidence]) -> None:
    found = result(lane(lambda start, unbiased, biased: start + 9 * (unbiased - start)))
    assert found.departure is not None
    assert found.departure.hint is not None
    assert found.departure.hint.bug == 18
    assert "inverted" in found.departure.hint.text


def test_missing_buffer_fails_unless_it_is_left_out(lane: Callable[..., LaneEvidence]) -> None:
    evidence = lane(lambda start, unbiased, biased: unbiased, **{f"train/buffer/{NAME}": None})
    assert result(evidence).status == "fail"
    left_out = {"reference": {NAME: "counts batches"}, "port": {}}
    port = dataclasses.replace(evidence.port, about={**evidence.port.about, "left_out": left_out})
    assert result(dataclasses.replace(evidence, port=port)).status == "pass"


def test_outputs_after_ruled_statistics_are_decided_with_the_oracles(
    lane: Callable[..., LaneEvidence], port: Capture
) -> None:
    name = "after/eval/output/0"
    moved = {name: port.arrays[name] * 1.05}
    ruled = lane(lambda start, unbiased, biased: biased, "flax.nnx.BatchNorm", **moved)
    found = result(ruled, "eval")
    assert found.status == "pass"
    assert any("the running variances of" in note and "waived" in note for note in found.notes)
    assert result(lane(lambda s, unbiased, b: unbiased, **moved), "eval").status == "fail"


@pytest.fixture
def coarse(network: ModuleType, edit: Callable[..., Capture]) -> Callable[..., LaneEvidence]:
    """The float32 lane of the same captures, so noisy that its budget hides either variance."""

    def build(evidence: LaneEvidence, factor: float = 1.0) -> LaneEvidence:
        ours, theirs = network.float32_captures(evidence.reference)
        names = [f"{time}/buffer/{NAME}" for time in TIMES]
        truth = {n: evidence.reference.arrays[n].astype(np.float32) for n in names}
        noise = {f"noise/0/{n}": a * np.float32(1.02) for n, a in truth.items()}
        port = {n: (evidence.port.arrays[n] * factor).astype(np.float32) for n in names}
        structures = [side.about["structure"] for side in (evidence.reference, evidence.port)]
        modules = evidence.port.about["modules"]
        ours = edit(ours, truth | noise, structure=structures[0])
        theirs = edit(theirs, port, structure=structures[1], modules=modules)
        return LaneEvidence("float32", ours, theirs, evidence.reference)

    return build


def state_of(verdict: Verdict, lane: str) -> StageResult:
    return next(r for r in verdict.results if (r.stage, r.lane) == ("state", lane))


def test_what_float64_rules_spends_no_budget_of_float32(
    lane: Callable[..., LaneEvidence], coarse: Callable[..., LaneEvidence]
) -> None:
    proof = lane(lambda start, unbiased, biased: biased, "flax.nnx.BatchNorm")
    alone = state_of(judge([coarse(proof)]), "float32")
    assert (alone.status, alone.waivers) == ("pass", ()), "nobody has ruled"
    assert alone.needed
    assert 1 < alone.needed < 16
    verdict = judge([coarse(proof), proof])
    found = state_of(verdict, "float32")
    assert (found.status, found.needed) == ("waived", None)
    assert found.waivers == state_of(verdict, "float64").waivers
    assert {row.status for row in found.rows} == {"waived"}


def test_ruling_of_float64_covers_no_other_fault_of_float32(
    lane: Callable[..., LaneEvidence], coarse: Callable[..., LaneEvidence]
) -> None:
    proof = lane(lambda start, unbiased, biased: biased, "flax.nnx.BatchNorm")
    assert state_of(judge([proof, coarse(proof, 1.6)]), "float32").status == "fail"


def test_model_without_buffers_is_a_skip(
    reference: Capture, port: Capture, stage_of: Callable[[Verdict, str], StageResult]
) -> None:
    verdict = judge([LaneEvidence("float64", reference, port)])
    assert stage_of(verdict, "state").status == "skipped"
