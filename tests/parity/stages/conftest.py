"""Captures of a small network written in NumPy, and verdicts on wrong ports of it."""

from __future__ import annotations

import dataclasses
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from parity.capture.capture_file import Capture
from parity.evidence import LaneEvidence
from parity.judge import judge
from parity.verdict import StageResult, Verdict


def _load_network() -> ModuleType:
    """The modules beside this file; pytest's import mode adds no folder to the path."""
    sys.path.insert(0, str(Path(__file__).parent))
    try:
        return importlib.import_module("numpy_captures")
    finally:
        sys.path.pop(0)


@pytest.fixture(scope="session")
def network() -> ModuleType:
    """The network, its faults and its captures."""
    return _load_network()


@pytest.fixture(scope="session")
def reference(network: ModuleType) -> Capture:
    """The reference's capture in float64."""
    return network.reference_capture()


@pytest.fixture(scope="session")
def port(network: ModuleType, reference: Capture) -> Capture:
    """A right port's."""
    return network.port_capture(reference)


@pytest.fixture
def verdict_on(network: ModuleType, reference: Capture) -> Callable[..., Verdict]:
    """The proof lane's verdict on a port with these faults."""

    def verdict(**faults: Any) -> Verdict:
        wrong = network.port_capture(reference, network.Faults(**faults))
        return judge([LaneEvidence("float64", reference, wrong)])

    return verdict


def edited(capture: Capture, arrays: dict[str, np.ndarray | None], **about: Any) -> Capture:
    """The capture with other arrays (None takes one away) and other entries in its header."""
    merged = {**capture.arrays, **arrays}
    kept = {name: array for name, array in merged.items() if array is not None}
    return dataclasses.replace(capture, about={**capture.about, **about}, arrays=kept)


@pytest.fixture
def edit() -> Callable[..., Capture]:
    """Change a capture."""
    return edited


@pytest.fixture
def stage_of() -> Callable[[Verdict, str], StageResult]:
    """A stage's result in the first lane that has it."""
    return lambda verdict, name: next(r for r in verdict.results if r.stage == name)
