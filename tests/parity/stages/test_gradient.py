"""Backward faults are named where the backward pass first departs."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from parity.capture.capture_file import Capture
from parity.evidence import LaneEvidence
from parity.judge import judge
from parity.verdict import StageResult, Verdict

Judge = Callable[..., Verdict]


def test_network_of_the_tests_derives_rightly(network: ModuleType, reference: Capture) -> None:
    """Its hand-written gradient is that of its loss, away from kinks."""
    weights = {n.removeprefix("weight/"): a for n, a in reference.arrays.items() if "weight/" in n}
    p = {n: a for n, a in weights.items() if "/" not in n}
    x, targets = reference.arrays["input/0"][2:], reference.arrays["target/0"][2:]
    right = network.Network()
    gradients, _, _ = right.gradients(x, targets, p)
    for name in p:
        moved = p[name].copy()
        moved.flat[1] += 1e-6
        up = right.loss(right.forward(x, {**p, name: moved})[0], targets, 6)
        down = right.loss(right.forward(x, p)[0], targets, 6)
        assert (up - down) / 1e-6 == pytest.approx(gradients[name].flat[1], abs=1e-4)


def test_pooling_that_splits_ties_is_found(verdict_on: Judge) -> None:
    departure = verdict_on(split_ties=True).first_departure
    assert departure is not None
    assert (departure.stage, departure.layer, departure.after) == ("gradient", "pool", "relu")
    assert departure.hint is not None
    assert departure.hint.bug == 27


def test_pooling_that_is_no_module_of_the_port_is_between(
    network: ModuleType, reference: Capture, edit: Callable[..., Capture]
) -> None:
    wrong = network.port_capture(reference, network.Faults(split_ties=True))
    gone: dict[str, Any] = {n: None for n in wrong.arrays if "/pool#" in n or "/relu#" in n}
    functions = {"pool": "a function in the port", "relu": "a function in the port"}
    verdict = judge([LaneEvidence("float64", reference, edit(wrong, gone, uncompared=functions))])
    departure = verdict.first_departure
    assert departure is not None
    assert (departure.stage, departure.layer, departure.place) == ("gradient", "conv", "between")
    assert departure.hint is not None
    assert departure.hint.bug == 27


def test_slope_at_zero_is_found(verdict_on: Judge) -> None:
    departure = verdict_on(slope=0.5).first_departure
    assert departure is not None
    assert (departure.stage, departure.layer) == ("gradient", "relu")
    assert departure.hint is not None
    assert departure.hint.bug == 26


def test_one_parameters_gradient_alone_is_its_layers(
    reference: Capture, port: Capture, edit: Callable[..., Capture]
) -> None:
    name = "gradient/fc1.weight"
    wrong = edit(port, {name: port.arrays[name] * 1.001})
    departure = judge([LaneEvidence("float64", reference, wrong)]).first_departure
    assert departure is not None
    assert (departure.stage, departure.layer) == ("gradient", "fc1")


def test_rewrite_whose_cotangents_belong_to_something_else_passes(
    reference: Capture, port: Capture, edit: Callable[..., Capture]
) -> None:
    """The port's conv includes its ReLU: other outputs, other cotangents, the same gradients."""
    relu, there = "relu#0/0", "conv#0/0"
    moved: dict[str, Any] = {f"cotangent/{there}": port.arrays[f"cotangent/{relu}"]}
    for run in ("train", "eval"):
        moved[f"{run}/exit/{there}"] = port.arrays[f"{run}/exit/{relu}"]
        moved[f"{run}/enter/{relu}"] = moved[f"{run}/exit/{relu}"] = None
    moved |= {n: None for n in port.arrays if relu in n and n not in moved}
    rewritten = edit(port, moved, uncompared={"relu": "inside conv"})
    assert judge([LaneEvidence("float64", reference, rewritten)]).passed


def test_structurally_zero_gradient_takes_its_scale_from_the_model(
    reference: Capture, port: Capture, edit: Callable[..., Capture]
) -> None:
    name = "gradient/conv.bias"
    zero = edit(reference, {name: np.array([1e-19, -2e-19, 0.0])})
    noise = edit(port, {name: np.array([-3e-19, 1e-19, 1e-19])})
    assert judge([LaneEvidence("float64", zero, noise)], ["gradient"]).passed


def test_kink_in_float32_is_a_note_and_a_layer_that_departs_is_not(
    network: ModuleType,
    reference: Capture,
    edit: Callable[..., Capture],
    stage_of: Callable[[Verdict, str], StageResult],
) -> None:
    ours, theirs = network.float32_captures(reference)
    name = "gradient/conv.weight"
    jumped = edit(theirs, {name: theirs.arrays[name] * np.float32(1.01)})
    result = stage_of(judge([LaneEvidence("float32", ours, jumped, reference)]), "gradient")
    assert result.status == "pass"
    assert any("kink" in note for note in result.notes)
    alone = "forced/gradient/conv#0/conv.weight"
    wrong = edit(jumped, {alone: theirs.arrays[alone] * np.float32(1.01)})
    assert not judge([LaneEvidence("float32", ours, wrong, reference)]).passed
