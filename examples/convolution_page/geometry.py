"""Which cells of a picture a convolution looks at, one axis at a time. No framework is needed.

convolution    o = floor((w + 2p - d(k-1) - 1) / s) + 1
transposed     o = (w-1)s - 2p + d(k-1) + q + 1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Axis:
    """A convolution along one axis: size w, kernel k, stride s, padding p, dilation d."""

    formula: ClassVar[str] = "o = floor((w + 2p - d(k-1) - 1) / s) + 1"
    w: int
    k: int
    s: int
    d: int
    before: int
    """Padding before the picture; the same as after it but for 'same' and an even kernel."""
    after: int

    @property
    def output(self) -> int:
        """How many places the window has."""
        return (self.w + self.before + self.after - self.d * (self.k - 1) - 1) // self.s + 1

    def cells(self, place: int) -> list[int]:
        """What the window covers at its `place`. Below 0 and from w on lies the padding."""
        start = place * self.s - self.before
        return [start + self.d * i for i in range(self.k)]

    def worked(self) -> str:
        """The formula with its numbers."""
        room = self.w + self.before + self.after - self.d * (self.k - 1) - 1
        pads = f"2*{self.before}" if self.before == self.after else f"{self.before} + {self.after}"
        return (
            f"floor(({self.w} + {pads} - {self.d}*({self.k}-1) - 1) / {self.s}) + 1"
            f" = floor({room} / {self.s}) + 1 = {self.output}"
        )


@dataclass(frozen=True)
class TransposedAxis:
    """A transposed convolution along one axis; q is its output_padding."""

    formula: ClassVar[str] = "o = (w-1)s - 2p + d(k-1) + q + 1"
    w: int
    k: int
    s: int
    d: int
    p: int
    q: int

    @property
    def output(self) -> int:
        """The size of what is left after the padding was taken away."""
        return (self.w - 1) * self.s - 2 * self.p + self.d * (self.k - 1) + self.q + 1

    def cells(self, place: int) -> list[int]:
        """Where the cell `place` of the input stamps its window. Outside 0 to o - 1: cut away."""
        start = place * self.s - self.p
        return [start + self.d * i for i in range(self.k)]

    def worked(self) -> str:
        """The formula with its numbers."""
        return (
            f"({self.w}-1)*{self.s} - 2*{self.p} + {self.d}*({self.k}-1) + {self.q} + 1"
            f" = {self.output}"
        )


def axes_of(layer: Any, sizes: tuple[int, ...]) -> list[Axis] | list[TransposedAxis]:
    """The axes of a PyTorch convolution on a picture of these sizes, from its own settings."""
    windows = list(zip(sizes, layer.kernel_size, layer.stride, layer.dilation, strict=True))
    if layer.transposed:
        more = zip(windows, layer.padding, layer.output_padding, strict=True)
        return [TransposedAxis(*window, p, q) for window, p, q in more]
    pads = _pads(layer)
    return [Axis(*window, *pad) for window, pad in zip(windows, pads, strict=True)]


def _pads(layer: Any) -> list[tuple[int, int]]:
    """Before and after. 'same' keeps the size, and puts an odd one after."""
    if layer.padding == "same":
        totals = [d * (k - 1) for d, k in zip(layer.dilation, layer.kernel_size, strict=True)]
        return [(total // 2, total - total // 2) for total in totals]
    numbers = (0,) * len(layer.kernel_size) if layer.padding == "valid" else layer.padding
    return [(p, p) for p in numbers]
