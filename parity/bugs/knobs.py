"""The numbers whose smallest visible change is measured."""

from __future__ import annotations

from parity.bugs.sensitivity import Knob

KNOBS: tuple[Knob, ...] = ()
