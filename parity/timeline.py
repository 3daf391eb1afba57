"""What ran when: the events of the reference's passes, to localise faults by. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from parity.capture.capture_file import Capture


@dataclass(frozen=True)
class Event:
    """A layer was entered or left, or (kind 'output') the model returned."""

    kind: str
    layer: str
    call: int
    leaves: tuple[str, ...]
    is_leaf: bool

    @property
    def place(self) -> str:
        """'PATH#CALL', as in the captures' names."""
        return f"{self.layer}#{self.call}"

    def names(self, run: str) -> list[str]:
        """The captures' names of its arrays in a pass."""
        start = f"{run}/output" if self.kind == "output" else f"{run}/{self.kind}/{self.place}"
        return [f"{start}/{leaf}" for leaf in self.leaves]

    @property
    def words(self) -> str:
        """What its arrays are."""
        if self.kind == "output":
            return "the model's output"
        name = self.layer if not self.call else f"{self.layer} (call {self.call})"
        return f"{'input' if self.kind == 'enter' else 'output'} of {name}"


def events_of(capture: Capture, run: str) -> tuple[Event, ...]:
    """The events of a pass in the order of execution, the model's output last."""
    listed = capture.about.get("timeline", {}).get(run, [])
    events = [Event(k, layer, call, tuple(leaves), leaf) for k, layer, call, leaves, leaf in listed]
    events = [event for event in events if event.layer]  # the model itself is no layer
    start = f"{run}/output/"
    outputs = tuple(name.removeprefix(start) for name in capture.names(f"{run}/output"))
    return (*events, Event("output", "", 0, outputs, False))


def layer_before(events: tuple[Event, ...], position: int) -> str:
    """The layer that was left last before the event; '' for none: the model's inputs."""
    return next((e.layer for e in reversed(events[:position]) if e.kind == "exit"), "")


def layer_after(events: tuple[Event, ...], position: int) -> str:
    """The layer that is entered next after the event; '' for none: the model's output."""
    return next((e.layer for e in events[position + 1 :] if e.kind == "enter"), "")


def is_inside(path: str, container: str) -> bool:
    """Whether a layer lies inside another."""
    return path.startswith(f"{container}.") if container else bool(path)


def owner(name: str, layers: Mapping[str, Any]) -> str:
    """The layer that holds a tensor: the longest path that its name begins with; '' for none."""
    parts = name.split(".")
    paths = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
    return next((path for path in paths if path in layers), "")
