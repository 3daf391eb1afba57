"""The operation that departs: a layer of the reference, what the oracle gave it, what came out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.stages.case import Case
from parity.verdict import Departure


@dataclass(frozen=True)
class Operation:
    """One call of a layer of the reference, and what the port has where its output goes."""

    path: str
    kinds: tuple[str, ...]
    settings: Any
    given: np.ndarray
    """The oracle's, of all its input's first leaf."""
    returned: np.ndarray
    """The oracle's."""
    port: np.ndarray

    def is_a(self, *names: str) -> bool:
        """Whether it is one of PyTorch's classes, 'MaxPool' for each of MaxPool1d to 3d."""
        own = [kind.removeprefix("torch.nn.") for kind in self.kinds if kind.startswith("torch.nn")]
        wanted = {f"{name}{end}" for name in names for end in ("", "1d", "2d", "3d")}
        return any(name in wanted for name in own)

    def parameter(self, case: Case, name: str) -> np.ndarray | None:
        """One of its parameters, in float64."""
        found = case.truth.get(f"weight/{self.path}.{name}")
        return None if found is None else found.astype(np.float64)


def operation(case: Case, departure: Departure) -> Operation | None:
    """The layer whose output departs; or, where a layer's input does, the one before it.

    The port often has code where the reference has a module (poolings, resizing): then the first
    that departs is what the next layer is given.
    """
    row = departure.row
    if row is None or row.name not in case.truth or row.name not in case.port:
        return None
    place = row.name.rpartition("/")[0]
    if "/exit/" not in place:
        place = _source(case, row.name, row.run)
    path = place.rpartition("/exit/")[2].rpartition("#")[0]
    module = next(
        (m for m in (case.structure.modules if case.structure else ()) if m.path == path), None
    )
    given = case.names(place.replace("/exit/", "/enter/"))
    if not place or module is None or not given:
        return None
    return Operation(
        path, module.kinds, module.settings, case.truth[given[0]].astype(np.float64),
        case.truth[row.name].astype(np.float64), case.port[row.name].astype(np.float64),
    )  # fmt: skip


def before(case: Case, name: str, run: str) -> list[str]:
    """The names of all that layers returned before an array, the latest first."""
    found: list[str] = []
    for event in case.events(run):
        names = event.names(run)
        if name in names:
            break
        if event.kind == "exit":
            found += [n for n in names if n in case.truth]
    return found[::-1]


def _source(case: Case, name: str, run: str) -> str:
    """The place of the last layer before, where its output is this very array; '' where not."""
    latest = next(iter(before(case, name, run)), "")
    same = latest and np.array_equal(case.truth[latest], case.truth[name])
    return latest.rpartition("/")[0] if same else ""
