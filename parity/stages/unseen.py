"""What the port says that it cannot show: layers, calls and arrays without counterpart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from parity.capture.capture_file import Capture

LOOSE = "the port's layer takes or returns less"


@dataclass(frozen=True)
class Unseen:
    """Why arrays of the reference's layers may be missing in the port's capture."""

    uncompared: Mapping[str, str]
    """PATH, PATH#CALL or KIND/PATH#CALL/LEAF -> why; KIND is enter or exit."""
    loose: frozenset[str]
    """KIND/PATH#CALL/LEAF of what only the reference's layers take or return."""
    unforced: Mapping[str, str]
    """PATH#CALL of layers that could not be run alone -> why."""

    @classmethod
    def of(cls, port: Capture) -> Unseen:
        """What the header of a port's capture says."""
        about = port.about
        return cls(
            dict(about.get("uncompared", {})),
            frozenset(about.get("loose_leaves", [])),
            dict(about.get("unforced", {})),
        )

    def why(self, kind: str, layer: str, call: int, leaf: str) -> str:
        """Why what a layer was given, or returned, may be missing; empty where it may not."""
        place = f"{layer}#{call}"
        array = f"{kind}/{place}/{leaf}"
        found = (self.uncompared[key] for key in (layer, place, array) if key in self.uncompared)
        return next(found, LOOSE if array in self.loose else "")

    def why_unforced(self, kind: str, layer: str, call: int, leaf: str) -> str:
        """The same of what the layer makes of the oracle's numbers."""
        return self.unforced.get(f"{layer}#{call}", "") or self.why(kind, layer, call, leaf)
