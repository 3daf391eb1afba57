"""The built-in stand-in for CIFAR-10: 50,000 + 10,000 made-up pictures in ten classes.

It is for machines without network and for tests. A small convolutional network learns it as
gradually as it learns CIFAR-10; every machine makes the same bytes, because all arithmetic is on
integers (see `random_integers.py`).

A picture is a soft background, tinged by its class; a motif of its class somewhere near the
middle, at random size, strength and side; a fainter motif of another class, to mislead; noise; and
one in eight is over- or underexposed, so that parts are flat white or black, as in photographs.

The recipe in PyTorch (seed 0) reaches these test accuracies in its ten epochs, in percent:
22.2, 31.5, 32.9, 39.8, 48.4, 49.5, 53.0, 57.9, 60.2, 60.6 (train accuracy in the tenth: 67.1).
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from jaxtyping import Int16, UInt8

from experiment.cifar10.pictures import Arrays
from experiment.cifar10.random_integers import RandomIntegers
from experiment.cifar10.synthetic_classes import (
    CLASS_COUNT,
    FIELD_SIZES,
    REACH,
    VARIANTS,
    ClassSigns,
    class_signs,
)

VERSION = 1
"""Raise it with any change of the pictures: caches then make them anew."""

TRAIN_COUNT, TEST_COUNT = 50_000, 10_000
_SEED = 1
_CHUNK = 1_000  # pictures; 6 MB of int16, which stays in a processor's cache
_THREADS = 2  # NumPy's loops release the interpreter lock

_MOTIF_STRENGTH = (16, 140)
_DISTRACTOR_STRENGTH = (8, 48)
_EXPOSURE = 90
_NOISE = 20


def generate() -> Arrays:
    """Makes both splits, uint8 NHWC; each class has exactly a tenth of each split."""
    signs = class_signs(_SEED)
    order = RandomIntegers(_SEED, 2)
    train_labels = order.permutation(TRAIN_COUNT) % CLASS_COUNT
    test_labels = order.permutation(TEST_COUNT) % CLASS_COUNT
    labels = np.concatenate([train_labels, test_labels])
    images = np.empty((len(labels), 32, 32, 3), np.uint8)

    def fill(chunk: slice) -> None:
        draw = RandomIntegers(_SEED, 3, chunk.start)
        images[chunk] = _pictures(signs, labels[chunk], draw)

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(fill, _chunks(len(labels))))
    stored = labels.astype(np.uint8)
    return Arrays(
        train_images=images[:TRAIN_COUNT],
        train_labels=stored[:TRAIN_COUNT],
        test_images=images[TRAIN_COUNT:],
        test_labels=stored[TRAIN_COUNT:],
    )


def _chunks(count: int) -> Iterator[slice]:
    return (slice(start, start + _CHUNK) for start in range(0, count, _CHUNK))


def _pictures(
    signs: ClassSigns, labels: np.ndarray, draw: RandomIntegers
) -> UInt8[np.ndarray, "n 32 32 3"]:
    count = len(labels)
    others = (labels + draw.between(1, CLASS_COUNT - 1, count)) % CLASS_COUNT
    pictures = _backgrounds(signs, labels, draw)
    pictures += _motifs(signs, labels, _MOTIF_STRENGTH, draw)
    pictures += _motifs(signs, others, _DISTRACTOR_STRENGTH, draw)
    pictures += _exposure(count, draw)
    noise = draw.bytes(count, 32 * 32 * 3).reshape(pictures.shape).astype(np.int16)
    pictures += ((noise - 128) * _NOISE) >> 7
    return np.clip(pictures, 0, 255).astype(np.uint8)


def _backgrounds(
    signs: ClassSigns, labels: np.ndarray, draw: RandomIntegers
) -> Int16[np.ndarray, "n 32 32 3"]:
    count = len(labels)
    # 5 x 5 colours around a common one, mostly grey, smoothly interpolated.
    spots = draw.below(256, count, 5, 5, 3)
    common = draw.below(256, count, 1, 1, 3)
    grid = ((spots * 8 + common * 12) >> 4) - 32
    grid = (grid + 3 * grid[..., :1]) >> 2
    grid += signs.tints[labels][:, None, None, :] + signs.layouts[labels][..., None]
    rows = _interpolated(grid.reshape(count, 5, 15))  # (n, 32, 5 * 3)
    pictures = _interpolated(rows.reshape(count * 32, 5, 3)).reshape(count, 32, 32, 3)
    return (((pictures - 128) * 18) >> 4) + 128


def _interpolated(points: Int16[np.ndarray, "n 5 k"]) -> Int16[np.ndarray, "n 32 k"]:
    """Eight steps from each of the five points to the next."""
    step = np.arange(8, dtype=np.int16)[:, None]
    between: np.ndarray = points[:, :4, None] * (8 - step) + points[:, 1:, None] * step
    return between.reshape(len(points), 32, points.shape[2]) >> 3  # from (n, 4, 8, k)


def _motifs(
    signs: ClassSigns, labels: np.ndarray, strength: tuple[int, int], draw: RandomIntegers
) -> Int16[np.ndarray, "n 32 32 3"]:
    """One motif of each label's class, as levels to add."""
    count = len(labels)
    variant = draw.below(VARIANTS, count)
    size = draw.below(len(FIELD_SIZES), count)
    # The sum of two draws: the middle of the picture is likelier than its edges.
    down, right = (draw.below(REACH + 1, 2, count).sum(0, dtype=np.int16) for _ in range(2))
    shape = signs.windows()[labels, variant, size, down, right]  # (n, 32, 32)
    mirrored = draw.below(2, count).astype(bool)
    shape[mirrored] = shape[mirrored, :, ::-1]
    inverted = draw.below(16, count) < 3
    power = np.where(inverted, -1, 1).astype(np.int16) * draw.between(*strength, count)
    colour = signs.colours[labels, variant] + draw.below(8, count, 3)
    levels = (colour * power[:, None]) >> 5  # (n, 3)
    return (shape[..., None] * levels[:, None, None, :]) >> 5


def _exposure(count: int, draw: RandomIntegers) -> Int16[np.ndarray, "n 1 1 1"]:
    kind = draw.below(16, count, 1, 1, 1)
    return np.where(kind == 0, _EXPOSURE, np.where(kind == 1, -_EXPOSURE, 0)).astype(np.int16)
