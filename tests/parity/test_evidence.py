"""Captures that do not belong together, and references that are no number, are refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from experiment.errors import UserError
from parity.capture.capture_file import SCHEMA, Capture
from parity.evidence import EvidenceError, LaneEvidence, check_evidence


def capture(side: str, lane: str = "float64", **about: Any) -> Capture:
    header = {"schema": SCHEMA, "side": side, "lane": lane, "pair": "net", "seed": 1, "nonce": "n",
              "start": "abc", **about}  # fmt: skip
    arrays = {"train/output/0": np.ones(3), "train/loss": np.array(1.0),
              "gradient/w": np.ones(2), "train/enter/a#0/0": np.ones(2)}  # fmt: skip
    return Capture(header, arrays)


def with_array(of: Capture, name: str, value: float) -> Capture:
    return dataclasses.replace(of, arrays={**of.arrays, name: np.array([1.0, value])})


def test_captures_of_one_run_are_accepted() -> None:
    oracle = capture("reference")
    float32 = LaneEvidence(
        "float32", capture("reference", "float32"), capture("port", "float32"), oracle
    )
    check_evidence([LaneEvidence("float64", oracle, capture("port")), float32])


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"pair": "other"}, "pair: found 'other', expected 'net'"),
        ({"seed": 2}, "seed: found 2, expected 1"),
        ({"nonce": "stale"}, "nonce: found 'stale', expected 'n'"),
        ({"schema": 7}, f"schema: found 7, expected {SCHEMA}"),
        ({"lane": "float32"}, "lane: found 'float32', expected 'float64'"),
        ({"side": "reference"}, "side: found 'reference', expected 'port'"),
        ({"start": "xyz"}, "start differs"),
    ],
)
def test_port_of_another_run_is_refused(about: dict[str, Any], words: str) -> None:
    port = dataclasses.replace(capture("port"), where="port.safetensors")
    port = dataclasses.replace(port, about={**port.about, **about})
    with pytest.raises(EvidenceError, match=r"port\.safetensors") as refused:
        check_evidence([LaneEvidence("float64", capture("reference"), port)])
    assert words in str(refused.value)
    assert isinstance(refused.value, UserError)


def test_swapped_sides_are_refused() -> None:
    with pytest.raises(EvidenceError, match="side: found 'port', expected 'reference'"):
        check_evidence([LaneEvidence("float64", capture("port"), capture("reference"))])


@pytest.mark.parametrize("lane", ["float32", "device", "tf32"])
def test_budget_lane_needs_an_oracle(lane: str) -> None:
    with pytest.raises(EvidenceError, match="without an oracle"):
        check_evidence([LaneEvidence(lane, capture("reference", lane), capture("port", lane))])


def test_oracle_that_started_elsewhere_is_refused() -> None:
    float32 = LaneEvidence(
        "float32", capture("reference", "float32"), capture("port", "float32"),
        capture("reference", start="other"),
    )  # fmt: skip
    proof = LaneEvidence("float64", capture("reference"), capture("port"))
    with pytest.raises(EvidenceError, match="oracle of lane float32"):
        check_evidence([proof, float32])


def test_nothing_and_the_same_lane_twice_are_refused() -> None:
    lane = LaneEvidence("float64", capture("reference"), capture("port"))
    with pytest.raises(EvidenceError, match="no captures"):
        check_evidence([])
    with pytest.raises(EvidenceError, match="twice"):
        check_evidence([lane, lane])
    with pytest.raises(EvidenceError, match="unknown"):
        check_evidence([LaneEvidence("float16", capture("reference"), capture("port"))])


@pytest.mark.parametrize("name", ["train/output/0", "train/loss", "gradient/w", "weight/w",
                                  "update/1/parameter/w", "trajectory/losses"])  # fmt: skip
def test_nan_in_the_reference_is_named(name: str) -> None:
    wrong = with_array(capture("reference"), name, np.nan)
    with pytest.raises(EvidenceError, match=rf"{name}: nan at \(1,\)"):
        check_evidence([LaneEvidence("float64", wrong, capture("port"))])


def test_infinities_are_refused_in_losses_and_allowed_in_masks() -> None:
    masked = with_array(capture("reference"), "train/enter/a#0/0", -np.inf)
    check_evidence([LaneEvidence("float64", masked, capture("port"))])
    wrong = with_array(capture("reference"), "gradient/w", np.inf)
    with pytest.raises(EvidenceError, match="gradient/w: inf"):
        check_evidence([LaneEvidence("float64", wrong, capture("port"))])
