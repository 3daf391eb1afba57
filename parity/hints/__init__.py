"""Hints: patterns of known porting bugs, tested on the numbers that depart. NumPy only.

A hint is no verdict. It says which known mistake would produce exactly what was found. Each pattern
is a small function of its own; `_PATTERNS` says at which stage it is tried, in which order.
"""

from __future__ import annotations

from collections.abc import Callable

from parity.hints import (
    activations,
    attention,
    backward,
    casts,
    conventions,
    convolutions,
    dropout,
    initial,
    layers,
    losses,
    normalization,
    optimizers,
    pictures,
    records,
    recurrent,
    resizing,
    settings,
)
from parity.stages.case import Case
from parity.verdict import Departure, Hint

Pattern = Callable[[Case, Departure], Hint | None]

_PATTERNS: dict[str, tuple[Pattern, ...]] = {
    "self-checks": (dropout.same_mask,),
    "config": (settings.precision,),
    "data": (pictures.loader,),
    "init": (initial.transposed_fan_in, initial.scale, initial.constant),
    "forward": (
        pictures.flatten_order,
        pictures.height_and_width,
        pictures.channel_order,
        layers.kernel,
        convolutions.convolution,
        resizing.resizing,
        recurrent.gates,
        normalization.mode_swapped,
        attention.variant,
        dropout.in_eval,
        settings.suspect,
        normalization.fast_variance,
        activations.variant,
        conventions.reduction,
        conventions.negative_division,
        layers.factor,
    ),
    "loss": (
        losses.softmax_twice,
        losses.smoothing_over_others,
        losses.nominal_batch,
        losses.factor,
        losses.weighted_mean,
    ),
    "gradient": (backward.pooling_ties, backward.slope_at_zero, settings.suspect, layers.factor),
    "update": (
        recurrent.one_bias,
        optimizers.clipped,
        optimizers.sgd,
        optimizers.adam,
        optimizers.roots,
    ),
    "state": (records.biased_variance, records.momentum, settings.suspect),
    "trajectory": (records.weighted_mean, records.resumed),
}

_AT_EVERY_STAGE: tuple[Pattern, ...] = (casts.to_float32,)
"""Tried first."""


def find_hint(case: Case, departure: Departure) -> Hint | None:
    """The first pattern of the stage that fits what departs."""
    for pattern in (*_AT_EVERY_STAGE, *_PATTERNS.get(departure.stage, ())):
        if (hint := pattern(case, departure)) is not None:
            return hint
    return None
