"""Convolutions and transposed convolutions in one to three dimensions.

PyTorch's kernels are (out, in / groups, *window), and (in, out / groups, *window) transposed;
NNX's (*window, in / groups, out). Grouped outputs lie in the same order on both sides.

A transposed convolution of PyTorch is the gradient of a convolution: it flips the window.
`nnx.ConvTranspose` does that with `transpose_kernel=True` only, whose kernel is (*window, out, in);
without, the flip is done here.
"""

from __future__ import annotations

import numpy as np

from parity.bridge.rules.rule import Rule, Site, Slot, rule_of_slots, same


def _channels_last(weight: np.ndarray, site: Site) -> np.ndarray:
    """(out, in, *window) -> (*window, in, out)"""
    return np.moveaxis(weight, (0, 1), (-1, -2))


def _channels_first(kernel: np.ndarray, site: Site) -> np.ndarray:
    return np.moveaxis(kernel, (-1, -2), (0, 1))


def _transposed(weight: np.ndarray, site: Site) -> np.ndarray:
    """(in, out, *window) -> (*window, out, in), or (*flipped window, in, out)"""
    if site.port_settings["transpose_kernel"]:
        return np.moveaxis(weight, (0, 1), (-1, -2))
    return np.moveaxis(np.flip(weight, tuple(range(2, weight.ndim))), (0, 1), (-2, -1))


def _transposed_back(kernel: np.ndarray, site: Site) -> np.ndarray:
    if site.port_settings["transpose_kernel"]:
        return np.moveaxis(kernel, (-1, -2), (0, 1))
    return np.flip(np.moveaxis(kernel, (-2, -1), (0, 1)), tuple(range(2, kernel.ndim)))


def _grouped(site: Site) -> str:
    if site.settings["groups"] == 1:
        return ""
    groups = site.settings["groups"]
    return f"nnx.ConvTranspose has no groups ({groups} here): use parity.layers.ConvTranspose"


_BIAS = Slot("bias", "bias", same, same)


def _convolution(dimensions: int) -> Rule:
    return rule_of_slots(
        f"torch.nn.Conv{dimensions}d",
        "flax.nnx.Conv",
        (Slot("weight", "kernel", _channels_last, _channels_first), _BIAS),
        note="padding_mode 'replicate': parity.layers.Conv",
    )


def _transposed_convolution(dimensions: int) -> Rule:
    return rule_of_slots(
        f"torch.nn.ConvTranspose{dimensions}d",
        "flax.nnx.ConvTranspose",
        (Slot("weight", "kernel", _transposed, _transposed_back), _BIAS),
        refuse=_grouped,
        note="padding p is d(k-1)-p there; groups: parity.layers.ConvTranspose",
    )


RULES = (
    *(_convolution(n) for n in (1, 2, 3)),
    *(_transposed_convolution(n) for n in (1, 2, 3)),
)
