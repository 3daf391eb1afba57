"""The verdict as data, and as JSON. Described in docs/verdict.md. NumPy only."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from experiment.storage import write_atomically

SCHEMA = 2
"""Version of verdict.json."""

LEVELS = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
"""Shares of the values that lie below the quantiles of a distribution."""

Status = Literal["pass", "fail", "waived", "skipped"]
RowStatus = Literal["agrees", "departs", "inherited", "note", "waived", "not compared"]
Place = Literal["output", "between", "backward", "tensor", "step", "data", "setting", "check"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One compared array. `needed` and `limit` are in the lane's unit (see `parity.tolerance`)."""

    name: str
    """Its name in the captures."""
    what: str
    """In words: 'output of conv1'."""
    run: str = ""
    """The pass, or the step, that it belongs to."""
    layer: str = ""
    call: int = 0
    tensor: str = ""
    shape: tuple[int, ...] = ()
    error: float = 0.0
    """Normwise relative."""
    introduced: float | None = None
    """What the layer adds by itself, given the oracle's input, in the unit of `needed`."""
    introduced_ulps: float | None = None
    """The same in units in the last place: of the scale, in stage update of the parameter."""
    budget: float = 0.0
    """The error that is allowed."""
    needed: float = 0.0
    limit: float = 0.0
    ulps: float = 0.0
    worst: tuple[int, ...] | None = None
    reference_value: float | None = None
    port_value: float | None = None
    status: RowStatus = "agrees"
    fault: str | None = None
    """Why the two cannot be compared at all, or why they are not."""


@dataclass(frozen=True, kw_only=True)
class Hint:
    """A pattern of the catalogue of porting bugs that fits."""

    bug: int
    """Its number there."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A setting that the two sides of a matched layer spell with different values."""

    layer: str
    port_layer: str
    setting: str
    reference_value: str
    port_value: str
    bug: int | None = None
    """The porting bug that this usually is."""

    @property
    def text(self) -> str:
        """In a line."""
        sides = f"{self.reference_value} in the reference, {self.port_value} in the port"
        return f"{self.layer}: {self.setting}: {sides}"


@dataclass(frozen=True, kw_only=True)
class Departure:
    """Where a stage departs first, and by how much."""

    stage: str
    lane: str
    place: Place
    text: str
    layer: str = ""
    port_layer: str = ""
    after: str = ""
    """The layer before, where the fault lies between two."""
    row: Row | None = None
    """The numbers there."""
    introduced: float | None = None
    also: tuple[str, ...] = ()
    """Other layers that introduce an error of their own."""
    hint: Hint | None = None
    suspects: tuple[Suspect, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StageResult:
    """One stage in one lane."""

    stage: str
    lane: str
    status: Status
    summary: str
    tolerance: float | None = None
    needed: float | None = None
    """The tolerance with which every judged array would have passed."""
    worst: Row | None = None
    rows: tuple[Row, ...] = ()
    departure: Departure | None = None
    waivers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A line of the layer tree."""

    path: str
    kind: str
    port_path: str


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How one side's initialisation of a tensor is distributed, over many seeds."""

    count: int
    mean: float
    std: float
    quantiles: tuple[float, ...]
    """At `LEVELS`."""


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """A tensor as both sides initialise it; None where a side does not."""

    tensor: str
    reference: Spread | None
    port: Spread | None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether the port is right, and if not, where it departs first."""

    pair: str
    seed: int
    nonce: str
    date: str
    lanes: tuple[str, ...]
    results: tuple[StageResult, ...]
    """In the order of stages, and within one of lanes."""
    layers: tuple[Layer, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    waivers: tuple[str, ...] = ()
    skips: tuple[str, ...] = ()
    promoted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    aside: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What the notes shorten, whole: heading -> name -> why."""
    checks: tuple[Mapping[str, Any], ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By side: every number that decides its real training, if the pair has one."""
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By side: module, file and text of its model's class, where they are known."""
    distributions: tuple[Distribution, ...] = ()

    @property
    def passed(self) -> bool:
        """Nothing failed."""
        return all(result.status != "fail" for result in self.results)

    @property
    def exit_code(self) -> int:
        """0, or 1 where the port departs."""
        return 0 if self.passed else 1

    @property
    def first_departure(self) -> Departure | None:
        """Of the first failing stage of the proof lane; of the other lanes only after it."""
        ordered = sorted(self.results, key=lambda result: self.lanes.index(result.lane))
        failed = (result for result in ordered if result.status == "fail")
        return next((result.departure for result in failed if result.departure), None)

    def to_json(self) -> str:
        """As strict JSON; infinities and NaN are the strings 'inf', '-inf' and 'nan'."""
        overall = {
            "schema": SCHEMA,
            "passed": self.passed,
            "exit_code": self.exit_code,
            "first_departure": self.first_departure and dataclasses.asdict(self.first_departure),
        }
        return json.dumps(_strict({**overall, **dataclasses.asdict(self)}), allow_nan=False)


def write_verdict(path: Path, verdict: Verdict) -> None:
    """Write verdict.json, whole or not at all. Raises `OSError`."""
    write_atomically(path, (verdict.to_json() + "\n").encode())


def _strict(value: Any) -> Any:
    """What JSON can hold: no NaN, no infinity, no NumPy scalars."""
    if isinstance(value, Mapping):
        return {str(key): _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_strict(item) for item in value]
    if hasattr(value, "item") and not isinstance(value, str | bytes):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value
