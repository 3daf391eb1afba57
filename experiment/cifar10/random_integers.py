"""Random integers that are the same on every machine and with every NumPy.

NumPy guarantees the stream of a bit generator, not what `Generator` makes of it (NEP 19), so the
integers are made here from the raw 64-bit words.
"""

import numpy as np


class RandomIntegers:
    """A stream of its own for each tuple of numbers it is made from."""

    def __init__(self, *stream: int) -> None:
        self._bits = np.random.PCG64(list(stream))

    def below(self, limit: int, *shape: int) -> np.ndarray:
        """int16 integers 0 ... `limit` - 1; `limit` is at most 2**15."""
        # The upper half of a word: of a linear congruence the upper bits are the better ones. The
        # remainder favours small numbers by less than one in 100,000, which is of no matter here.
        words = self._words(*shape) >> np.uint64(32)
        return (words % np.uint64(limit)).astype(np.int16)

    def between(self, low: int, high: int, *shape: int) -> np.ndarray:
        """int16 integers `low` ... `high`, both included."""
        return self.below(high - low + 1, *shape) + np.int16(low)

    def bytes(self, *shape: int) -> np.ndarray:
        """uint8 integers; the last length is a multiple of 8."""
        words = self._words(*shape[:-1], shape[-1] // 8)
        return words.astype("<u8").view(np.uint8)  # the same bytes on a big-endian machine

    def permutation(self, length: int) -> np.ndarray:
        """0 ... `length` - 1 in random order, as int64."""
        return np.argsort(self._words(length), kind="stable")

    def _words(self, *shape: int) -> np.ndarray:
        return self._bits.random_raw(int(np.prod(shape))).reshape(shape)
