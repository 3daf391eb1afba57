"""Layers of one tensor: Embedding, and PReLU whose single slope is a scalar in NNX."""

from __future__ import annotations

import numpy as np

from parity.bridge.rules.rule import Site, Slot, rule_of_slots, same


def _to_scalar(slope: np.ndarray, site: Site) -> np.ndarray:
    return slope.reshape(())


def _from_scalar(slope: np.ndarray, site: Site) -> np.ndarray:
    return slope.reshape(1)


def _slope_per_channel(site: Site) -> str:
    slopes = site.settings["num_parameters"]
    if slopes == 1:
        return ""
    return f"nnx.PReLU has one slope, and this layer {slopes}: use parity.layers.PReLU"


RULES = (
    rule_of_slots(
        "torch.nn.Embedding",
        "flax.nnx.Embed",
        (Slot("weight", "embedding", same, same),),
        note="padding_idx: parity.layers.Embedding",
    ),
    rule_of_slots(
        "torch.nn.PReLU",
        "flax.nnx.PReLU",
        (Slot("weight", "negative_slope", _to_scalar, _from_scalar),),
        refuse=_slope_per_channel,
        note="a slope per channel: parity.layers.PReLU",
    ),
)
