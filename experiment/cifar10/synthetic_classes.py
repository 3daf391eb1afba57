"""What tells the ten classes of the synthetic stand-in apart: tints, layouts and motifs.

A class has signs of three kinds, so that a network has something to learn at every stage, as with
photographs: a faint tint and a faint layout of light and dark, which soon lift it off chance and
never suffice; and a few motifs, patterns of light and dark fields in colours of their own, for
which it needs its convolutions.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int8, Int16
from numpy.lib.stride_tricks import sliding_window_view

from experiment.cifar10.random_integers import RandomIntegers

CLASS_COUNT = 10
VARIANTS = 4
"""Motifs of one class; they share some of their fields."""
GRID = 4
"""A motif is GRID x GRID fields."""
FIELD_SIZES = (4, 5, 6)
"""Pixels along the side of a field: the scales at which a motif appears."""
REACH = 6
"""Pixels by which a motif may lie off the centre, in each direction."""

_CANVAS = 32 + 2 * REACH
_TINT, _LAYOUT = 20, 16
_SHARED_OF_16 = 6


@dataclass(frozen=True, eq=False)
class ClassSigns:
    """The signs of all ten classes, in levels of brightness unless it says otherwise."""

    tints: Int16[np.ndarray, "10 3"]
    layouts: Int16[np.ndarray, "10 5 5"]
    colours: Int16[np.ndarray, "10 variants 3"]
    """Strength of a motif's red, green and blue, 32 being full."""
    motifs: Int8[np.ndarray, "10 variants sizes canvas canvas"]
    """-32 (dark) to 32 (light), in the middle of a canvas that is larger than a picture."""

    def windows(self) -> Int8[np.ndarray, "10 variants sizes 13 13 32 32"]:
        """The motifs at every offset, without a copy: [..., dy, dx] is a picture-sized window."""
        return sliding_window_view(self.motifs, (32, 32), axis=(3, 4))


def class_signs(seed: int) -> ClassSigns:
    """Draws the signs of the classes."""
    draw = RandomIntegers(seed, 1)
    return ClassSigns(
        tints=draw.between(-_TINT, _TINT, CLASS_COUNT, 3),
        layouts=draw.between(-_LAYOUT, _LAYOUT, CLASS_COUNT, 5, 5),
        colours=draw.between(8, 32, CLASS_COUNT, VARIANTS, 3),
        motifs=_motifs(draw),
    )


def _motifs(draw: RandomIntegers) -> np.ndarray:
    fields = draw.between(-2, 2, CLASS_COUNT, VARIANTS, GRID, GRID)
    shared = draw.below(16, CLASS_COUNT, VARIANTS, GRID, GRID) < _SHARED_OF_16
    fields = np.where(shared, fields[:, :1], fields)
    motifs = np.zeros((CLASS_COUNT, VARIANTS, len(FIELD_SIZES), _CANVAS, _CANVAS), np.int16)
    for index, size in enumerate(FIELD_SIZES):
        start = (_CANVAS - GRID * size) // 2
        place = slice(start, start + GRID * size)
        motifs[:, :, index, place, place] = fields.repeat(size, 2).repeat(size, 3) * 16
    for axis in (-1, -2):  # soft edges, as a lens makes them
        motifs = (np.roll(motifs, 1, axis) + 2 * motifs + np.roll(motifs, -1, axis)) >> 2
    return motifs.astype(np.int8)
