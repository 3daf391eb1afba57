"""What a stage is given: one lane's evidence, its ruler, and the rows that are made of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from parity.bridge.structure import Structure
from parity.evidence import LaneEvidence
from parity.numerics import magnitude
from parity.stages.unseen import Unseen
from parity.suspects import find_suspects, structure_of
from parity.timeline import Event, events_of, owner
from parity.tolerance import ACTIVATION_FLOOR, KIND_FLOOR, Measure, Ruler
from parity.verdict import Departure, Row, StageResult, Suspect

_T = TypeVar("_T")


@dataclass(frozen=True)
class Case:
    """One lane, ready to be judged."""

    evidence: LaneEvidence
    proof: Case | None = None
    """The proof lane's, in the other lanes; None where it is not judged."""
    ruler: Ruler = field(init=False)

    def __post_init__(self) -> None:
        """Make the ruler."""
        object.__setattr__(self, "ruler", Ruler.of(self.evidence))

    @property
    def lane(self) -> str:
        """The lane's name."""
        return self.evidence.lane

    @property
    def truth(self) -> Any:
        """The oracle's arrays by name."""
        return self.evidence.truth.arrays

    @property
    def port(self) -> Any:
        """The port's arrays by name."""
        return self.evidence.port.arrays

    def names(self, prefix: str) -> list[str]:
        """The oracle's names under a prefix, whole."""
        return list(self.evidence.truth.names(prefix))

    @cached_property
    def suspects(self) -> tuple[Suspect, ...]:
        """Layer settings that differ."""
        return find_suspects(self.evidence.truth, self.evidence.port)

    @cached_property
    def structure(self) -> Structure | None:
        """The reference's model."""
        return structure_of(self.evidence.truth)

    @cached_property
    def layers(self) -> dict[str, str]:
        """The reference's layers: path -> class."""
        if self.structure:
            return {module.path: module.kind for module in self.structure.modules if module.path}
        return {event.layer: "" for event in self.events("train") if event.layer}

    def events(self, run: str) -> tuple[Event, ...]:
        """The events of a pass."""
        return self.once(("events", run), lambda: events_of(self.evidence.truth, run))

    def once(self, key: tuple, make: Callable[[], _T]) -> _T:
        """What `make` returns, made at the first call with this key: several stages ask for it."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    @cached_property
    def _made(self) -> dict[tuple, Any]:
        return {}

    @cached_property
    def unseen(self) -> Unseen:
        """What the port says that it cannot show."""
        return Unseen.of(self.evidence.port)

    def port_layer(self, layer: str) -> str:
        """What the port calls a layer; '' where it has none of that kind."""
        return self.evidence.port.about.get("modules", {}).get(layer, "")

    def layer_of(self, tensor: str) -> str:
        """The layer that holds a parameter or buffer."""
        return owner(tensor, self.layers)

    def kind_floor(self, names: Iterable[str]) -> float:
        """The least scale of each of these arrays: a share of the largest of them all."""
        return KIND_FLOOR * magnitude(self.truth[name] for name in names)

    def activation_floor(self, run: str) -> float:
        """The least scale of an activation of a pass."""
        return self.once(("activation floor", run), lambda: self._activation_floor(run))

    def _activation_floor(self, run: str) -> float:
        names = [n for event in self.events(run) for n in event.names(run) if n in self.truth]
        sizes = [magnitude([self.truth[n]]) for n in names if self.truth[n].dtype.kind == "f"]
        return ACTIVATION_FLOOR * float(np.median(sizes)) if sizes else 0.0

    def row(self, name: str, measure: Measure, what: str, **more: Any) -> Row:
        """A measure as a row of the verdict."""
        found = measure.difference
        return Row(
            name=name,
            what=what,
            shape=tuple(self.truth[name].shape) if name in self.truth else (),
            error=found.error,
            budget=measure.limit * measure.unit,
            needed=measure.needed,
            limit=measure.limit,
            ulps=measure.ulps,
            worst=found.worst,
            reference_value=found.reference_value,
            port_value=found.port_value,
            fault=found.fault,
            **{"status": "agrees" if measure.agrees else "departs", **more},
        )

    def measured(self, name: str, what: str, floor: float = 0.0, **more: Any) -> Row:
        """Measure the array `name` and make it a row."""
        return self.row(name, self.ruler.measure(name, floor), what, **more)

    def result(
        self,
        stage: str,
        rows: Sequence[Row],
        departure: Departure | None,
        summary: str,
        notes: Iterable[str] = (),
        numbers: bool = True,
        **more: Any,
    ) -> StageResult:
        """The stage's result: it fails where there is a departure.

        `tolerance` and `needed` are those of the row that comes nearest to its limit, or goes
        farthest beyond; none where the stage compares no `numbers`.
        """
        judged = [row for row in rows if numbers and row.status in ("agrees", "departs")]
        worst = max(judged, key=_share, default=None)
        return StageResult(
            stage=stage,
            lane=self.lane,
            summary=summary,
            tolerance=worst.limit if worst else None,
            needed=worst.needed if worst else None,
            worst=worst,
            rows=tuple(rows),
            departure=departure,
            notes=tuple(notes),
            **{"status": "fail" if departure else "pass", **more},
        )

    def skipped(self, stage: str, reason: str) -> StageResult:
        """The stage could not be judged, and why."""
        return StageResult(stage=stage, lane=self.lane, status="skipped", summary=reason)

    def departure(
        self, stage: str, place: Any, layer: str, text: str, row: Row | None, **more: Any
    ) -> Departure:
        """Where the stage departs, with the settings of that layer that differ."""
        return Departure(
            stage=stage,
            lane=self.lane,
            place=place,
            layer=layer,
            port_layer=self.port_layer(layer),
            text=text,
            row=row,
            suspects=tuple(s for s in self.suspects if layer and s.layer == layer),
            **more,
        )


def _share(row: Row) -> float:
    """How much of its limit a row needs; where nothing is allowed, all of it or none."""
    return row.needed / row.limit if row.limit else float("inf") if row.needed else 0.0


def with_status(rows: Iterable[Row], status: Any, fits: Callable[[Row], bool]) -> list[Row]:
    """The rows, those that fit with another status."""
    return [replace(row, status=status) if fits(row) else row for row in rows]


def departing(rows: Iterable[Row]) -> list[Row]:
    """The rows that depart."""
    return [row for row in rows if row.status == "departs"]


def count(number: int, what: str) -> str:
    """'1 tensor', '12 tensors'."""
    return f"{number} {what}" + ("" if number == 1 else "s")
