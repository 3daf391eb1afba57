"""What a verdict rests on: for each lane the captures of both sides, and the oracle. NumPy only.

Captures that do not belong together are refused before anything is judged, and so is a reference
that is no number: a comparison with either would prove nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiment.errors import UserError
from parity.capture.capture_file import SCHEMA, Capture
from parity.capture.plan import LANES

PROOF_LANE = "float64"

_MUST_BE_NUMBERS = ("weight", "gradient", "cotangent", "update", "after", "trajectory")
_PASSES = ("train", "eval", "short")


class EvidenceError(UserError):
    """Captures that do not belong together, or a reference that is no number."""


@dataclass(frozen=True)
class LaneEvidence:
    """Both sides' captures of one lane.

    `oracle` is the reference's capture in float64. The proof lane may leave it out: there it is the
    reference's capture itself.
    """

    lane: str
    reference: Capture
    port: Capture
    oracle: Capture | None = None

    @property
    def truth(self) -> Capture:
        """What the port is compared with."""
        return self.reference if self.lane == PROOF_LANE else self.oracle or self.reference


def check_evidence(lanes: Sequence[LaneEvidence]) -> None:
    """Raise `EvidenceError` naming the capture, the field, what was found and what was expected."""
    if not lanes:
        raise EvidenceError("no captures to judge; write them with python -m parity capture")
    if len({evidence.lane for evidence in lanes}) != len(lanes):
        names = ", ".join(evidence.lane for evidence in lanes)
        raise EvidenceError(f"lanes {names}: found one twice, expected each at most once")
    for evidence in lanes:
        _check_lane(evidence)
        _check_together(evidence, lanes[0].reference)
        _check_numbers(evidence.reference)
        if evidence.truth is not evidence.reference:
            _check_numbers(evidence.truth)
    proof = next((e.reference for e in lanes if e.lane == PROOF_LANE), None)
    for evidence in lanes:
        if proof and evidence.truth.about["start"] != proof.about["start"]:
            raise EvidenceError(
                f"{_name(evidence.truth)}: the oracle of lane {evidence.lane} starts from other "
                "weights or inputs than the reference of lane float64; take one for both"
            )


def _check_lane(evidence: LaneEvidence) -> None:
    lane = evidence.lane
    if lane not in LANES:
        raise EvidenceError(f"lane {lane!r}: unknown; expected one of {', '.join(LANES)}")
    if lane != PROOF_LANE and evidence.oracle is None:
        raise EvidenceError(
            f"lane {lane}: without an oracle; give the reference's float64 capture (--oracle FILE)"
        )
    expected = [(evidence.reference, "reference", lane), (evidence.port, "port", lane)]
    if evidence.oracle is not None:
        expected.append((evidence.oracle, "reference", PROOF_LANE))
    for capture, side, its_lane in expected:
        _expect(capture, "schema", SCHEMA)
        _expect(capture, "side", side)
        _expect(capture, "lane", its_lane)
    if evidence.reference.about["start"] != evidence.port.about["start"]:
        raise EvidenceError(
            f"{_name(evidence.reference)} and {_name(evidence.port)}: start differs; the sides did "
            "not start from the same weights, inputs and targets; capture both of one run"
        )


def _check_together(evidence: LaneEvidence, first: Capture) -> None:
    for capture in filter(None, (evidence.reference, evidence.port, evidence.oracle)):
        for key in ("pair", "seed", "nonce"):
            _expect(capture, key, first.about[key], f", as in {_name(first)}")


def _expect(capture: Capture, key: str, expected: object, why: str = "") -> None:
    found = capture.about.get(key)
    if found != expected:
        raise EvidenceError(
            f"{_name(capture)}: {key}: found {found!r}, expected {expected!r}{why}; "
            "captures of different runs are never compared: capture it again"
        )


def _check_numbers(capture: Capture) -> None:
    """No NaN in what the reference computed; no infinity in its losses and what it trains."""
    for name, array in capture.arrays.items():
        if array.dtype.kind != "f" or not _must_be_number(name):
            continue
        # Outputs may hold intended infinities (masked logits), never NaN.
        wrong = np.isnan(array) if "/output/" in name else ~np.isfinite(array)
        if wrong.any():
            place = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise EvidenceError(
                f"{_name(capture)}: {name}: {array[place]} at {place}, and {int(wrong.sum())} in "
                "all; the reference itself is no number there, so nothing can be compared with "
                "it: choose inputs or a learning rate with which it stays finite"
            )


def _must_be_number(name: str) -> bool:
    first, _, rest = name.partition("/")
    if first in _PASSES:
        return rest == "loss" or rest.startswith(("output/", "buffer/"))
    return first in _MUST_BE_NUMBERS


def _name(capture: Capture) -> str:
    """The capture in an error: its file, or what it says that it is."""
    about = capture.about
    return capture.where or f"the {about.get('side')}'s {about.get('lane')} capture"
