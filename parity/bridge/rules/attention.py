"""MultiheadAttention: PyTorch packs query, key and value in one weight; NNX splits off the heads.

`in_proj_weight` is (3E, E) in the order query, key, value; with other sizes of key or value there
are three weights instead. NNX's kernels are (in, heads, head_dim), and (heads, head_dim, E) out.
"""

from __future__ import annotations

import numpy as np

from parity.bridge.rules.rule import Arrays, Rule, Site

_PARTS = ("query", "key", "value")
_SEPARATE = {"q_proj_weight": "query", "k_proj_weight": "key", "v_proj_weight": "value"}


def _to_flax(arrays: Arrays, site: Site) -> dict[str, np.ndarray]:
    heads = site.settings["num_heads"]
    flax = {}
    for name, array in arrays.items():
        if name == "in_proj_weight":
            for part, weight in zip(_PARTS, np.split(array, 3), strict=True):
                flax[f"{part}/kernel"] = _by_head(weight, heads)
        elif name == "in_proj_bias":
            for part, bias in zip(_PARTS, np.split(array, 3), strict=True):
                flax[f"{part}/bias"] = bias.reshape(heads, -1)
        elif name == "out_proj/weight":  # (E, E) -> (heads, head_dim, E)
            flax["out/kernel"] = array.T.reshape(heads, -1, array.shape[0])
        elif name == "out_proj/bias":
            flax["out/bias"] = array
        else:
            flax[f"{_SEPARATE[name]}/kernel"] = _by_head(array, heads)
    return flax


def _to_canonical(arrays: Arrays, site: Site) -> dict[str, np.ndarray]:
    canonical = {}
    weights = {p: _flat(arrays[f"{p}/kernel"]) for p in _PARTS if f"{p}/kernel" in arrays}
    if _packed(site):
        if weights:
            canonical["in_proj_weight"] = np.concatenate([weights[p] for p in _PARTS])
    else:
        canonical |= {name: weights[part] for name, part in _SEPARATE.items()}
    if "query/bias" in arrays:
        canonical["in_proj_bias"] = np.concatenate([arrays[f"{p}/bias"].ravel() for p in _PARTS])
    if "out/kernel" in arrays:
        kernel = arrays["out/kernel"]
        canonical["out_proj/weight"] = kernel.reshape(-1, kernel.shape[-1]).T
    if "out/bias" in arrays:
        canonical["out_proj/bias"] = arrays["out/bias"]
    return canonical


def _packed(site: Site) -> bool:
    size = site.settings["embed_dim"]
    return bool(site.settings["kdim"] == size and site.settings["vdim"] == size)


def _by_head(weight: np.ndarray, heads: int) -> np.ndarray:
    """(E, in) -> (in, heads, head_dim)"""
    return weight.T.reshape(weight.shape[1], heads, -1)


def _flat(kernel: np.ndarray) -> np.ndarray:
    return kernel.reshape(kernel.shape[0], -1).T


def _refuse(site: Site) -> str:
    if "bias_k" in {t.name for t in site.reference.tensors}:
        return "nnx.MultiHeadAttention has no bias_k and bias_v (add_bias_kv)"
    if site.settings["add_zero_attn"]:
        return "nnx.MultiHeadAttention has no add_zero_attn"
    if site.settings["num_heads"] != site.port_settings["num_heads"]:
        heads = site.settings["num_heads"], site.port_settings["num_heads"]
        return "num_heads is {} in the reference and {} in the port".format(*heads)
    return ""


RULES = (
    Rule(
        "torch.nn.MultiheadAttention",
        "flax.nnx.MultiHeadAttention",
        _to_flax,
        _to_canonical,
        whole=True,
        refuse=_refuse,
        note="masks are inverted there: True attends",
    ),
)
