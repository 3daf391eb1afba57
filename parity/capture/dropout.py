"""The same dropout in both frameworks: masks from a hash of place, call and step.

The two frameworks' random numbers differ, so the harness draws for both. Which units are kept is
decided by the layer's own rate, so a wrong rate shows.
"""

from __future__ import annotations

import zlib
from typing import Any

_MULTIPLIERS = (0x7FEB352D, 0x846CA68B)
"""lowbias32, https://nullprogram.com/blog/2018/07/31/"""


def uniform(numpy: Any, shape: tuple[int, ...], path: str, call: int, step: Any) -> Any:
    """Numbers in [0, 1), float32, of `shape` in canonical layout, by `numpy` or `jax.numpy`.

    `step` may be a traced integer.
    """
    size = 1
    for length in shape:
        size *= length
    key = zlib.crc32(f"{path}#{call}".encode())
    place = numpy.arange(size, dtype=numpy.uint32) ^ numpy.uint32(key)
    mixed = _hash(numpy, place + _hash(numpy, numpy.asarray(step).reshape(1).astype(numpy.uint32)))
    return ((mixed >> numpy.uint32(8)).astype(numpy.float32) / numpy.float32(2**24)).reshape(shape)


def _hash(numpy: Any, x: Any) -> Any:
    x = x ^ (x >> numpy.uint32(16))
    x = x * numpy.uint32(_MULTIPLIERS[0])
    x = x ^ (x >> numpy.uint32(15))
    x = x * numpy.uint32(_MULTIPLIERS[1])
    return x ^ (x >> numpy.uint32(16))
