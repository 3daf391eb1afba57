"""Forward faults are named at the layer, or between the two, where they arise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from parity.capture.capture_file import Capture
from parity.evidence import LaneEvidence
from parity.judge import judge
from parity.verdict import StageResult, Verdict

Judge = Callable[..., Verdict]


def test_right_port_passes_and_says_what_tolerance_it_needed(verdict_on: Judge) -> None:
    verdict = verdict_on()
    assert verdict.passed
    assert verdict.exit_code == 0
    assert verdict.first_departure is None


@pytest.mark.parametrize("layer", ["conv", "relu", "pool", "fc1", "fc2"])
def test_fault_inside_a_layer_is_that_layers(verdict_on: Judge, layer: str) -> None:
    departure = verdict_on(inside={layer: lambda x: x * (1 + 1e-7)}).first_departure
    assert departure is not None
    assert (departure.stage, departure.layer, departure.place) == ("forward", layer, "output")
    assert departure.introduced == pytest.approx(1e-7, rel=1e-3)


@pytest.mark.parametrize(("after", "layer"), [("", "conv"), ("pool", "fc1"), ("fc1", "fc2")])
def test_fault_in_the_code_between_is_between(verdict_on: Judge, after: str, layer: str) -> None:
    departure = verdict_on(before={layer: lambda x: x + 1e-6}).first_departure
    assert departure is not None
    assert (departure.layer, departure.after, departure.place) == (layer, after, "between")


def test_second_fault_is_listed_beside_the_first(verdict_on: Judge) -> None:
    departure = verdict_on(
        inside={"conv": lambda x: x * 1.01, "fc2": lambda x: x + 0.1}
    ).first_departure
    assert departure is not None
    assert departure.layer == "conv"
    assert departure.also == ("fc2",)


@pytest.mark.parametrize("layer", ["conv", "fc1"])
def test_difference_that_nothing_after_it_sees_is_a_note(
    verdict_on: Judge, stage_of: Callable[[Verdict, str], StageResult], layer: str
) -> None:
    verdict = verdict_on(shown={layer: np.tanh if layer == "fc1" else lambda x: np.maximum(x, 0)})
    assert verdict.passed
    assert any(layer in note and "rewrite" in note for note in stage_of(verdict, "forward").notes)


def test_fault_behind_a_rewrite_is_not_blamed_on_the_rewrite(verdict_on: Judge) -> None:
    departure = verdict_on(
        shown={"conv": lambda x: np.maximum(x, 0)}, inside={"fc1": lambda x: x * 1.001}
    ).first_departure
    assert departure is not None
    assert departure.layer == "fc1"


def test_worst_element_is_shown_with_both_values(verdict_on: Judge, reference: Capture) -> None:
    def one_wrong(x: np.ndarray) -> np.ndarray:
        x = x.copy()
        x[2, 1] += 0.5
        return x

    departure = verdict_on(inside={"fc2": one_wrong}).first_departure
    assert departure is not None
    assert departure.row is not None
    assert departure.row.worst == (2, 1)
    expected = reference.arrays["train/exit/fc2#0/0"][2, 1]
    assert departure.row.reference_value == expected
    assert departure.row.port_value == pytest.approx(expected + 0.5)


def test_missing_activation_fails_unless_the_layer_is_uncompared(
    reference: Capture, port: Capture, edit: Callable[..., Capture]
) -> None:
    gone: dict[str, Any] = {
        f"{p}{run}/{kind}/relu#0/0": None
        for p in ("", "forced/") for run in ("train", "eval") for kind in ("enter", "exit")
        if f"{p}{run}/{kind}/relu#0/0" in port.arrays
    }  # fmt: skip
    verdict = judge([LaneEvidence("float64", reference, edit(port, gone))])
    assert not verdict.passed
    assert verdict.first_departure is not None
    assert verdict.first_departure.layer == "relu"
    excused = edit(port, gone, uncompared={"relu": "a function in the port"})
    assert judge([LaneEvidence("float64", reference, excused)]).passed


@pytest.mark.parametrize("key", ["relu", "relu#0", "exit/relu#0/0"])
def test_layer_call_or_array_may_be_uncompared(
    reference: Capture, port: Capture, edit: Callable[..., Capture], key: str
) -> None:
    """An output whose layout cannot be told is missing, and so is its cotangent."""
    gone: dict[str, Any] = {f"{p}{run}/exit/relu#0/0": None for p in ("", "forced/")
                            for run in ("train", "eval")}  # fmt: skip
    gone["cotangent/relu#0/0"] = None
    assert not judge([LaneEvidence("float64", reference, edit(port, gone))]).passed
    excused = edit(port, gone, uncompared={key: "its layout cannot be told from its shape"})
    assert judge([LaneEvidence("float64", reference, excused)]).passed


def test_layer_that_was_not_run_alone_fails_unless_the_port_says_why(
    reference: Capture, port: Capture, edit: Callable[..., Capture]
) -> None:
    gone = dict.fromkeys(n for n in port.arrays if n.startswith("forced/") and "/fc1#0/" in n)
    verdict = judge([LaneEvidence("float64", reference, edit(port, gone))])
    assert verdict.first_departure is not None
    assert (verdict.first_departure.stage, verdict.first_departure.layer) == ("forward", "fc1")
    excused = edit(port, gone, unforced={"fc1#0": "the reference's layer has no argument 1"})
    assert judge([LaneEvidence("float64", reference, excused)]).passed


def test_nan_in_the_port_never_passes(verdict_on: Judge) -> None:
    def spoil(x: np.ndarray) -> np.ndarray:
        x = x.copy()
        x[0, 0] = np.nan
        return x

    verdict = verdict_on(inside={"fc2": spoil})
    assert not verdict.passed
    assert verdict.first_departure is not None
    assert verdict.first_departure.layer == "fc2"


def test_layer_that_takes_less_is_compared_by_what_it_takes(
    reference: Capture, port: Capture, edit: Callable[..., Capture]
) -> None:
    """PyTorch's attention is given queries, keys and values; Flax's the one array that they are."""
    events = [list(event) for event in reference.about["timeline"]["train"]]
    events[-2][3] = ["0", "1"]
    name = "train/enter/fc2#0/1"
    timeline = {"train": events, "eval": reference.about["timeline"]["eval"]}
    ours = edit(reference, {name: reference.arrays["train/enter/fc2#0/0"]}, timeline=timeline)
    assert not judge([LaneEvidence("float64", ours, port)]).passed
    less = edit(port, {}, loose_leaves=["enter/fc2#0/1"])
    verdict = judge([LaneEvidence("float64", ours, less)])
    assert verdict.passed
    rows = next(r for r in verdict.results if r.stage == "forward").rows
    assert next(row for row in rows if row.name == name).status == "not compared"


def test_missing_output_of_the_model_fails(
    reference: Capture, port: Capture, edit: Callable[..., Capture]
) -> None:
    name = "train/output/1"
    ours = edit(reference, {name: np.ones(3)})
    verdict = judge([LaneEvidence("float64", ours, port)])
    assert verdict.first_departure is not None
    assert name in verdict.first_departure.text
