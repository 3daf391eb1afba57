"""LSTM and GRU: PyTorch's stacked gates against NNX's cells inside RNN and Bidirectional.

PyTorch stacks the gates of a layer in one weight, LSTM i, f, g, o and GRU r, z, n, for every layer
and direction (`weight_ih_l0`, `weight_hh_l1_reverse`...). NNX has one cell for each of these:
`LSTMCell` with a Linear for each gate, `OptimizedLSTMCell` and `GRUCell` with stacked ones.

PyTorch has two biases where NNX has one. An LSTM's only ever appear as their sum: there it is
b_ih + b_hh, back b_ih = sum and b_hh = 0, and the mapping says so. A GRU's b_hn stands inside the
reset gate's product and has no place in NNX: refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from parity.bridge.rules.rule import Arrays, Rule, Site
from parity.bridge.structure import ModuleSpec

_GATES = ("i", "f", "g", "o")
_CELLS = {
    "LSTM": ("flax.nnx.LSTMCell", "flax.nnx.OptimizedLSTMCell"),
    "GRU": ("flax.nnx.GRUCell",),
}


def _lstm_to_flax(arrays: Arrays, site: Site) -> dict[str, np.ndarray]:
    flax: dict[str, np.ndarray] = {}
    for suffix, path, cell in _cells(site, "LSTM"):
        tensors = {name: arrays.get(f"{name}_{suffix}") for name in _NAMES}
        biases = [b for b in (tensors["bias_ih"], tensors["bias_hh"]) if b is not None]
        values = {
            "dense_i/kernel": _transposed(tensors["weight_ih"]),
            "dense_h/kernel": _transposed(tensors["weight_hh"]),
            "dense_h/bias": sum(biases[1:], biases[0]) if biases else None,
        }
        stacked = {name: value for name, value in values.items() if value is not None}
        if "flax.nnx.LSTMCell" in cell.kinds:
            stacked = _split_gates(stacked)
        flax |= {f"{path}{name}": value for name, value in stacked.items()}
    return flax


def _lstm_to_canonical(arrays: Arrays, site: Site) -> dict[str, np.ndarray]:
    return _lstm_back(arrays, site, hidden_bias=np.zeros_like)


def _lstm_gradient(arrays: Arrays, site: Site) -> dict[str, np.ndarray]:
    """Both biases have the gradient of their sum."""
    return _lstm_back(arrays, site, hidden_bias=np.copy)


def _lstm_back(
    arrays: Arrays, site: Site, hidden_bias: Callable[[np.ndarray], np.ndarray]
) -> dict[str, np.ndarray]:
    canonical = {}
    biased = {t.name for t in site.reference.tensors}
    for suffix, path, cell in _cells(site, "LSTM"):
        own = {n.removeprefix(path): a for n, a in arrays.items() if n.startswith(path)}
        stacked = _join_gates(own) if "flax.nnx.LSTMCell" in cell.kinds else own
        canonical[f"weight_ih_{suffix}"] = stacked["dense_i/kernel"].T
        canonical[f"weight_hh_{suffix}"] = stacked["dense_h/kernel"].T
        if "dense_h/bias" in stacked:
            both = [n for n in (f"bias_ih_{suffix}", f"bias_hh_{suffix}") if n in biased]
            bias = stacked["dense_h/bias"]
            canonical |= dict(zip(both, (bias, hidden_bias(bias)), strict=False))
    return canonical


def _gru_to_flax(arrays: Arrays, site: Site) -> dict[str, np.ndarray]:
    flax: dict[str, np.ndarray] = {}
    for suffix, path, _ in _cells(site, "GRU"):
        values = {
            "dense_i/kernel": _transposed(arrays.get(f"weight_ih_{suffix}")),
            "dense_h/kernel": _transposed(arrays.get(f"weight_hh_{suffix}")),
            "dense_i/bias": arrays.get(f"bias_ih_{suffix}"),
        }
        flax |= {f"{path}{name}": value for name, value in values.items() if value is not None}
    return flax


def _gru_to_canonical(arrays: Arrays, site: Site) -> dict[str, np.ndarray]:
    canonical = {}
    for suffix, path, _ in _cells(site, "GRU"):
        canonical[f"weight_ih_{suffix}"] = arrays[f"{path}dense_i/kernel"].T
        canonical[f"weight_hh_{suffix}"] = arrays[f"{path}dense_h/kernel"].T
        if f"{path}dense_i/bias" in arrays:
            canonical[f"bias_ih_{suffix}"] = arrays[f"{path}dense_i/bias"]
    return canonical


_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def _transposed(weight: np.ndarray | None) -> np.ndarray | None:
    return None if weight is None else weight.T


def _split_gates(stacked: Arrays) -> dict[str, np.ndarray]:
    """dense_i, dense_h with 4H columns -> ii, if_, ig, io, hi, hf, hg, ho with H each"""
    split = {}
    for name, array in stacked.items():
        side, kind = name.removeprefix("dense_").split("/")
        for gate, part in zip(_GATES, np.split(array, 4, axis=-1), strict=True):
            split[f"{_gate_name(side, gate)}/{kind}"] = part
    return split


def _join_gates(split: Arrays) -> dict[str, np.ndarray]:
    stacked = {}
    for side, kind in (("i", "kernel"), ("h", "kernel"), ("h", "bias")):
        names = [f"{_gate_name(side, gate)}/{kind}" for gate in _GATES]
        if names[0] in split:
            stacked[f"dense_{side}/{kind}"] = np.concatenate([split[n] for n in names], axis=-1)
    return stacked


def _gate_name(side: str, gate: str) -> str:
    return "if_" if side + gate == "if" else side + gate  # 'if' is a word of Python


def _cells(site: Site, kind: str) -> Iterator[tuple[str, str, ModuleSpec]]:
    """Every layer and direction: suffix ('l0_reverse'), the cell's path with '/', the cell."""
    modules = {"": site.port, **site.port_inside}
    cells = [p for p, m in modules.items() if set(m.kinds) & set(_CELLS[kind])]
    cells.sort(key=_position)
    directions = 2 if site.settings["bidirectional"] else 1
    for index, path in enumerate(cells):
        suffix = f"l{index // directions}" + ("_reverse" if index % directions else "")
        yield suffix, f"{path}/" if path else "", modules[path]


def _position(path: str) -> tuple[tuple[int, str], ...]:
    """Order of a path: numbers by value; 'forward_rnn' comes before 'backward_rnn'."""
    return tuple(_part_position(part) for part in path.split("/"))


def _part_position(part: str) -> tuple[int, str]:
    if part in ("forward_rnn", "backward_rnn"):
        return int(part == "backward_rnn"), ""
    return (int(part), "") if part.isdecimal() else (0, part)


def _refuse(site: Site, kind: str) -> str:
    if site.settings["proj_size"]:
        return f"nnx has no {kind} with projections (proj_size)"
    modules = {"": site.port, **site.port_inside}
    found = [p for p, m in modules.items() if set(m.kinds) & set(_CELLS[kind])]
    layers = site.settings["num_layers"]
    expected = layers * (2 if site.settings["bidirectional"] else 1)
    cells = " or ".join(c.removeprefix("flax.") for c in _CELLS[kind])
    if len(found) != expected:
        return (
            f"{expected} cells {cells} are needed below this path, one for each layer and "
            f"direction, and there are {len(found)}: a list of nnx.RNN or nnx.Bidirectional, or "
            f"parity.layers.{kind}"
        )
    if layers > 1 and not all(any(x.isdecimal() for x in p.split("/")) for p in found):
        return (
            f"the order of the layers {', '.join(found)} is unknown: put them in an nnx.List, or "
            f"rename them to numbers ('{site.port.path}/0')"
        )
    both = [p for p in found if "forward_rnn" in p or "backward_rnn" in p]
    if site.settings["bidirectional"] != bool(both):
        return "bidirectional on one side only: nnx.Bidirectional is its counterpart"
    return _hidden_bias(site) if kind == "GRU" else ""


def _hidden_bias(site: Site) -> str:
    names = [t.name for t in site.reference.tensors if t.name.startswith("bias_hh")]
    if not names:
        return ""
    return (
        f"nnx.GRUCell has no place for the hidden bias b_hn ({', '.join(names)}): "
        "use parity.layers.GRU"
    )


def _lossy(site: Site) -> str:
    if not any(t.name.startswith("bias_hh") for t in site.reference.tensors):
        return ""
    return (
        "lossy: two biases become their sum; back, bias_ih is the sum and bias_hh 0. The sum also "
        "learns at half the speed of PyTorch's two: to train, use parity.layers.LSTM"
    )


RULES = (
    Rule(
        "torch.nn.LSTM",
        "*",
        _lstm_to_flax,
        _lstm_to_canonical,
        whole=True,
        refuse=lambda site: _refuse(site, "LSTM"),
        lossy=_lossy,
        gradient_to_canonical=_lstm_gradient,
        note="one bias there, so not for training: parity.layers.LSTM",
        shown="nnx.RNN of nnx.LSTMCell or OptimizedLSTMCell, nnx.Bidirectional, lists of them",
    ),
    Rule(
        "torch.nn.GRU",
        "*",
        _gru_to_flax,
        _gru_to_canonical,
        whole=True,
        refuse=lambda site: _refuse(site, "GRU"),
        note="bias=False only, it has no b_hn: parity.layers.GRU",
        shown="nnx.RNN of nnx.GRUCell, nnx.Bidirectional, lists of them",
    ),
)
