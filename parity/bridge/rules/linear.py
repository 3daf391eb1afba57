"""Linear layers: PyTorch's weight is (out, in), NNX's kernel (in, out) or split into axes."""

from __future__ import annotations

import numpy as np

from parity.bridge.rules.rule import Site, Slot, rule_of_slots, same


def _transpose(array: np.ndarray, site: Site) -> np.ndarray:
    return array.T


def _split(weight: np.ndarray, site: Site) -> np.ndarray:
    """(out, in) -> (*in_features, *out_features)"""
    inputs, outputs = site.port_settings["in_features"], site.port_settings["out_features"]
    return weight.T.reshape(*inputs, *outputs)


def _join(kernel: np.ndarray, site: Site) -> np.ndarray:
    inputs = len(site.port_settings["in_features"])
    return kernel.reshape(int(np.prod(kernel.shape[:inputs])), -1).T


def _split_bias(bias: np.ndarray, site: Site) -> np.ndarray:
    return bias.reshape(site.port_settings["out_features"])


def _join_bias(bias: np.ndarray, site: Site) -> np.ndarray:
    return bias.reshape(-1)


def _several_axes(site: Site) -> str:
    return "a batch axis has one kernel for each entry" if site.port_settings["batch_axis"] else ""


_BIAS = Slot("bias", "bias", same, same)

RULES = (
    rule_of_slots(
        "torch.nn.Linear",
        "flax.nnx.Linear",
        (Slot("weight", "kernel", _transpose, _transpose), _BIAS),
    ),
    rule_of_slots(
        "torch.nn.Linear",
        "flax.nnx.LinearGeneral",
        (Slot("weight", "kernel", _split, _join), Slot("bias", "bias", _split_bias, _join_bias)),
        refuse=_several_axes,
        note="features split into axes",
    ),
)
