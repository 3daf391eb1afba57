"""The least time that any program could take: a large product and a large copy, and the recipe's
arithmetic and bytes. No framework here.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from typing import Any

from experiment.benchmark_results import Floor
from experiment.recipe import Recipe

SIDE = 2048
"""Of the square matrices of the product."""

COPY = 32 * 2**20
"""Numbers of the array that is copied, 128 MiB."""

_FLOAT = 4


def best(work: Callable[[], Any], repeats: int = 7) -> float:
    """Seconds of the fastest of several runs, after one that is not counted."""
    work()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def layers() -> list[tuple[int, int, int, int]]:
    """Of each layer, for one picture: products, numbers that enter, that leave it, parameters.

    What leaves a convolution is counted after its pooling; a program need write no more.
    """
    found, side, channels = [], 32, 3
    for out in Recipe.channels:
        conv = side - 2
        pooled = conv // 2
        found.append((
            (2 * pooled) ** 2 * out * channels * 9,  # pooling drops an odd row and column
            side * side * channels, pooled * pooled * out, out * (channels * 9 + 1),
        ))  # fmt: skip
        side, channels = pooled, out
    widths = (side * side * channels, Recipe.hidden, Recipe.classes)
    found += [(a * b, a, b, (a + 1) * b) for a, b in itertools.pairwise(widths)]
    return found


def forward_flop() -> float:
    """Floating-point operations of one picture's logits."""
    return 2.0 * sum(products for products, *_ in layers())


def step_flop(batch: int) -> float:
    """Of one training step: forward, the kernels' gradients, the inputs' but the pictures'."""
    products = [products for products, *_ in layers()]
    return 2.0 * batch * (3 * sum(products) - products[0])


def step_bytes(batch: int) -> float:
    """Bytes of one step: what layers hand on is written and read once, there and back."""
    pictures = batch * 32 * 32 * 3  # uint8
    handed_on = sum(out for _, _, out, _ in layers())
    parameters = sum(count for *_, count in layers())
    return pictures + _FLOAT * (batch * 4 * handed_on + 5 * parameters)


def least_seconds(floor: Floor, flop: float, moved: float, tf32: bool) -> tuple[float, float]:
    """Seconds that the arithmetic and the moving take at the measured speeds."""
    speed = floor.tf32_flop_per_second if tf32 else floor.flop_per_second
    assert speed is not None
    return flop / speed, moved / floor.bytes_per_second


def from_measured(
    strict: Mapping[str, Mapping[str, float]],
    tf32: Mapping[str, Mapping[str, float]] | None,
    batches: tuple[int, ...],
) -> Floor:
    """The floor by what each framework's process measured: the faster of the two counts."""

    def flop(found: Mapping[str, Mapping[str, float]]) -> float:
        return 2.0 * SIDE**3 / min(values["product"] for values in found.values())

    return Floor(
        flop_per_second=flop(strict),
        tf32_flop_per_second=flop(tf32) if tf32 else None,
        bytes_per_second=2.0 * _FLOAT * COPY / min(v["copy"] for v in strict.values()),
        step_flop={batch: step_flop(batch) for batch in batches},
        step_bytes={batch: step_bytes(batch) for batch in batches},
    )
