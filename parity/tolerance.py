"""How far apart is too far: tolerances that are derived, each with its reason. NumPy only.

Two kinds of lane, two rules; `needed` and `limit` of a measure are in the same unit.

**Proof lane** (float64). The two programs differ in the order of sums alone, which moves results by
1e-17 to 1e-14 of a tensor's magnitude; the weakest bug of the catalogue moves them by 2.5e-5.
`PROOF_TOLERANCE` stands between, far from both. Unit: normwise relative error.

**Budget lanes** (float32, device, tf32). No fixed number is right: the rounding of a deep model
grows with its depth and its conditioning. So the reference shows what its own arithmetic is worth:
its run and its noise runs (weights and inputs moved by one unit in the last place) are compared
with the oracle, and the largest of their errors is the tensor's *noise*. The port may be
`BUDGET_FACTOR` times as wrong. Unit: multiples of that noise.

The runs are a sample, and one tensor of the reference may be exact by luck. So noise is at least
`FLOOR_UNITS` units roundoff of the tensor's scale, times the square root of the number of layers on
the way: rounding errors of layers are independent, and add up like steps of a random walk.

Structurally zero tensors (the gradient of a key's bias, of a bias before a batch norm) hold
rounding alone. Their scale is `KIND_FLOOR` of the largest of their kind in the model.

**Free runs** (stage trajectory, proof lane). Training amplifies rounding, some trainings without
bound. The reference's run from weights and inputs moved by one float64 unit in the last place shows
by how much, and the same factor applies: `free_run_limit`. Unit: normwise relative error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from parity.capture.capture_file import Capture
from parity.evidence import PROOF_LANE, LaneEvidence
from parity.numerics import Difference, difference, in_ulps, magnitude, missing

PROOF_TOLERANCE = 1e-10
"""Normwise relative error per tensor in the proof lane."""

BUDGET_FACTOR = 16.0
"""How many times the reference's noise a port may be wrong. Right ports measured 0.7 to 2.2 on
outputs and up to 8 on gradients of small tensors."""

KINK = 0.03
"""Relative departure of a float32 free run that one value on the other side of a kink may make.

Measured on a right pair (examples/autoencoder, Adam, 52 steps): five of 20 seeds left a limit of 16
times the spread; in one of them, looked at, parameters ended up to 8e-3 away, while none of the
reference's five runs of that seed moved by more than 2e-5."""

FLOOR_UNITS = 4.0
"""Least noise, in units roundoff of the tensor's scale: a few operations of one layer."""

AMPLIFIED_FACTOR = BUDGET_FACTOR
"""How many times the reference's own divergence a free run of the port may be off. A port rounds
otherwise in every layer of every step, the moved run at its start alone; both are amplified."""

CHAOTIC = 1e-6
"""The reference's own divergence beyond which a free run shows nothing: `AMPLIFIED_FACTOR` times
this is 1.6e-5, and the weakest bug of the catalogue (2.5e-5) has to stay visible."""

KIND_FLOOR = 1e-3
"""Least scale of a gradient, cotangent, slot or change: this share of the largest of its kind."""

ACTIVATION_FLOOR = 1e-6
"""Least scale of an activation, as a share of the median magnitude of the pass's tensors; a median,
since a mask of -1e30 is no scale."""

STRUCTURAL_ZERO = 1e-10
"""A gradient below this share of the largest is zero by structure (float64): rounding is all it is,
and optimizers that divide by its own magnitude (Adam) turn that into steps."""

PARAMETER_ULPS = 2.0
"""A change is the difference of two parameters, each rounded: it can be off by one unit in the last
place of the parameter on either side without any fault of the optimizer."""

UNIT_ROUNDOFF = {"float64": 2.0**-53, "float32": 2.0**-24, "device": 2.0**-24, "tf32": 2.0**-11}
"""Relative error of one rounding in each lane (IEEE 754: 53 and 24 bits; TF32: 11)."""


def free_run_limit(own: float) -> float:
    """The error allowed where the reference's own run departs from itself by `own`."""
    return max(PROOF_TOLERANCE, AMPLIFIED_FACTOR * own)


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One array of the port against the oracle's, and what is allowed there."""

    difference: Difference
    unit: float
    """The normwise error that `limit` and `needed` are multiples of: 1, or the noise."""
    limit: float
    """The tolerance, in units."""
    ulps: float
    """The absolute difference in units in the last place of the scale."""

    @property
    def needed(self) -> float:
        """The tolerance that would have been needed, in units."""
        return self.difference.error / self.unit

    @property
    def agrees(self) -> bool:
        """Within tolerance."""
        return self.needed <= self.limit


@dataclass(frozen=True)
class Ruler:
    """Measures the arrays of one lane."""

    lane: str
    truth: Capture
    reference: Capture
    port: Capture
    depth: int = 1

    @classmethod
    def of(cls, evidence: LaneEvidence) -> Ruler:
        """The lane's ruler; its depth is the number of calls of layers in a pass."""
        events = evidence.truth.about.get("timeline", {}).get("train", [])
        depth = sum(1 for kind, *_, leaf in events if kind == "exit" and leaf)
        return cls(evidence.lane, evidence.truth, evidence.reference, evidence.port, max(depth, 1))

    @property
    def proves(self) -> bool:
        """Whether this is the proof lane."""
        return self.lane == PROOF_LANE

    @property
    def limit(self) -> float:
        """The lane's tolerance, in its units."""
        return PROOF_TOLERANCE if self.proves else BUDGET_FACTOR

    def measure(self, name: str, floor: float = 0.0, allowance: float = 0.0) -> Measure:
        """The array `name` of the port against the oracle's. Raises KeyError: no such oracle's."""
        runs = [] if self.proves else self.runs(name)
        port = self.port.arrays.get(name)
        return self.compare(self.truth.arrays[name], port, runs, floor, allowance)

    def runs(self, name: str) -> list[np.ndarray]:
        """The array in the reference's own run of this lane and in its noise runs."""
        arrays = self.reference.arrays
        count = int(self.reference.about.get("noise_runs", 0))
        names = [name, *(f"noise/{run}/{name}" for run in range(count))]
        return [arrays[each] for each in names if each in arrays]

    def compare(
        self,
        truth: np.ndarray,
        port: np.ndarray | None,
        runs: list[np.ndarray],
        floor: float = 0.0,
        allowance: float = 0.0,
    ) -> Measure:
        """`port` against `truth`; `runs` are the reference's own, from which noise is estimated."""
        found = missing() if port is None else difference(truth, port, floor, allowance)
        unit = 1.0 if self.proves else self._noise(truth, runs, floor, allowance)
        ulps = in_ulps(found, self._dtype) if found.absolute else 0.0
        return Measure(difference=found, unit=unit, limit=self.limit, ulps=ulps)

    def ulps_of(self, measure: Measure, array: np.ndarray) -> float:
        """The absolute difference in units in the last place of an array's largest magnitude."""
        return in_ulps(replace(measure.difference, scale=magnitude([array])), self._dtype)

    @property
    def _dtype(self) -> type[np.floating]:
        return np.float64 if self.proves else np.float32

    def parameter_allowance(self, *parameters: np.ndarray) -> float:
        """By how much a change of these parameters is off through their own rounding."""
        spacing = 2 * UNIT_ROUNDOFF["float64" if self.proves else "float32"]
        return PARAMETER_ULPS * spacing * magnitude(parameters)

    def _noise(
        self, truth: np.ndarray, runs: list[np.ndarray], floor: float, allowance: float
    ) -> float:
        errors = [difference(truth, run, floor, allowance).error for run in runs]
        least = FLOOR_UNITS * UNIT_ROUNDOFF[self.lane] * math.sqrt(self.depth)
        return max([least, *(error for error in errors if math.isfinite(error))])
