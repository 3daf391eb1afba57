"""Bugs in resizing, planted into code between convolutions. No framework here."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from parity.bugs.bug import Bug, Parts, Subject, part
from parity.pair import Pair, channels_first, channels_last

TOPIC = "resizing"


def _pair(parts: Parts) -> Pair:
    return Pair(
        name=TOPIC,
        reference=_reference,
        port=partial(_port, parts),
        inputs=_pictures,
        port_inputs=channels_last,
        port_outputs=channels_first,
        batch_size=4,
        short_batch_size=3,
    )


def _reference(seed: int) -> Any:
    from parity.bugs.resizing.reference import Network

    return Network()


def _port(parts: Parts, seed: int) -> Any:
    from parity.bugs.resizing.port import Network

    return Network(seed, {name: part(TOPIC, spec) for name, spec in parts.items()})


def _pictures(generator: np.random.Generator, n: int) -> np.ndarray:
    """(n, 3, 12, 15), fine-grained: neighbouring pixels have nothing in common."""
    return generator.normal(size=(n, 3, 12, 15))


SUBJECT = Subject(
    name=TOPIC,
    topic=TOPIC,
    parts={
        "smaller": "smaller",
        "larger": "corners_aligned",
        "nearest": "nearest_by_corner",
    },
    pair=_pair,
)

SUBJECTS = (SUBJECT,)

_INTERPOLATE = (
    "[`torch.nn.functional.interpolate`]"
    "(https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html)"
)
_RESIZE = "[`jax.image.resize`](https://docs.jax.dev/en/latest/_autosummary/jax.image.resize.html)"

# The resizing is code between two layers, so the layer after it is named: its input departs.
BUGS = (
    Bug(
        row=28,
        name="resize-antialiased",
        title="Make pictures smaller with JAX's default, which antialiases",
        symptom="The port's pictures are smoother, and look better; on smooth pictures the two are "
        "hardly told apart, and a metric or a frozen network shifts by a little.",
        source=f"{_RESIZE} and {_INTERPOLATE}, `antialias`; "
        "[the same the other way round](https://github.com/sayakpaul/cmmd-pytorch/issues/4)",
        subject=SUBJECT,
        part="smaller",
        wrong="smaller_antialiased",
        stage="forward",
        layer="middle",
    ),
    Bug(
        row=29,
        name="corners-not-aligned",
        title="Resize without align_corners where the reference has it",
        symptom="Shapes fit, the picture looks the same, and lies shifted by up to half a pixel, "
        "most at its border. Depth and segmentation heads lose a little accuracy.",
        source="[jax#11206](https://github.com/jax-ml/jax/issues/11206), "
        "[flax#2210](https://github.com/google/flax/issues/2210): JAX has no such option",
        subject=SUBJECT,
        part="larger",
        wrong="corners_not_aligned",
        stage="forward",
        layer="decoder",
    ),
    Bug(
        row=30,
        name="nearest-by-centre",
        title="Resize to the nearest pixel with JAX's rule at a scale that is no whole number",
        symptom="At twice the size the two rules agree, so tests pass. At other scales PyTorch's "
        "'nearest' takes the pixel under a new pixel's corner, JAX the one under its centre, and "
        "some rows and columns are their neighbours'.",
        source="[pytorch#34808](https://github.com/pytorch/pytorch/issues/34808), "
        "[pytorch#64501](https://github.com/pytorch/pytorch/pull/64501): 'nearest-exact' is JAX's",
        subject=SUBJECT,
        part="nearest",
        wrong="nearest_by_centre",
        stage="forward",
        layer="head",
    ),
)
