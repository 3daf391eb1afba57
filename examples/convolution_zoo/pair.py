"""One convolution of every kind, in one to three dimensions.

    python -m parity verify examples/convolution_zoo/pair.py

The models take several inputs by name and return dictionaries. There is no loss and no optimizer:
gradients are those of the outputs times fixed random numbers, and the training is plain SGD.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from parity import Pair, channels_first, channels_last


def reference(seed: int) -> Any:
    from zoo_torch import ConvolutionZoo

    return ConvolutionZoo()


def port(seed: int) -> Any:
    from flax import nnx
    from zoo_flax import ConvolutionZoo

    return ConvolutionZoo(rngs=nnx.Rngs(seed))


def inputs(generator: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """No two axes have the same length, and even and odd ones are among them."""
    return {
        "signal": generator.normal(size=(n, 4, 14)),
        "picture": generator.normal(size=(n, 4, 10, 13)),
        "volume": generator.normal(size=(n, 2, 5, 7, 9)),
    }


PAIR = Pair(
    name="convolution_zoo",
    reference=reference,
    port=port,
    inputs=inputs,
    port_inputs=channels_last,
    port_outputs=channels_first,
    batch_size=4,
    short_batch_size=3,
)
