"""LSTMs and GRUs with their gates in another order, or without one of their biases."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from parity.hints.arrays import match, same
from parity.hints.operations import Operation, operation
from parity.stages.case import Case
from parity.verdict import Departure, Hint

_LARGEST = 2_000_000
"""Weights times time steps above which no recurrent layer is tried."""

Weights = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""w_ih, w_hh, b_ih, b_hh."""


def gates(case: Case, departure: Departure) -> Hint | None:
    """31, 32: another order of the gates, or b_hn at another place, gives what the port has."""
    found = operation(case, departure)
    if found is None or found.given.ndim != 3 or found.port.ndim != 3:
        return None
    if not found.is_a("LSTM", "GRU") or found.settings.get("proj_size"):
        return None
    if _cost(case, found) > _LARGEST:
        return None
    batch_first = bool(found.settings.get("batch_first"))
    x, y = (a if batch_first else a.swapaxes(0, 1) for a in (found.given, found.port))
    for bug, words, kind in _kinds(found.is_a("LSTM")):
        expected = _run(case, found, x[:1], kind)
        if expected is not None and same(expected, y[:1], match(case)):
            return Hint(bug=bug, text=f"{found.path} {words}")
    return None


def one_bias(case: Case, departure: Departure) -> Hint | None:
    """32: an LSTM with one bias, which learns at half the speed of PyTorch's two."""
    lossy = case.evidence.port.about.get("lossy", {})
    layer = departure.layer
    if layer not in lossy or not case.layers.get(layer, "").endswith("LSTM"):
        return None
    text = (
        f"{layer} has one bias where PyTorch has two, b_ih and b_hh: with the same gradient their "
        "sum moves twice as far. To train, use parity.layers.LSTM"
    )
    return Hint(bug=32, text=text)


def _kinds(lstm: bool) -> Iterator[tuple[int, str, tuple[str, str]]]:
    """Number, words, and (order in which the stacked weights are split, place of b_hn)."""
    names = "ifgo" if lstm else "rzn"
    if not lstm:
        yield 31, "lacks its hidden bias b_hn", (names, "nowhere")
        text = "adds its hidden bias b_hn outside of the reset gate's product"
        yield 31, text, (names, "outside")
        text = "multiplies the state by the reset gate before the weight, not after it"
        yield 31, text, (names, "before")
    for order in map("".join, permutations(names)):
        if order != names:
            text = f"splits its weights into gates {', '.join(order)}; PyTorch's are "
            yield 32, text + ", ".join(names), (order, "inside")


def _run(
    case: Case, found: Operation, x: np.ndarray, kind: tuple[str, str]
) -> np.ndarray | None:  # fmt: skip
    """All layers and directions on sequences (n, time, inputs); None without all weights."""
    ends = ["", "_reverse"] if found.settings.get("bidirectional") else [""]
    for layer in range(int(found.settings.get("num_layers", 1))):
        outputs = []
        for end in ends:
            weights = _weights(case, found, f"l{layer}{end}")
            if weights is None:
                return None
            y = _direction(x[:, ::-1] if end else x, weights, kind)
            outputs.append(y[:, ::-1] if end else y)
        x = np.concatenate(outputs, axis=-1)
    return x


def _weights(case: Case, found: Operation, suffix: str) -> Weights | None:
    w_ih, w_hh, b_ih, b_hh = (
        found.parameter(case, f"{name}_{suffix}")
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    if w_ih is None or w_hh is None:
        return None
    none = np.zeros(len(w_ih))
    return w_ih, w_hh, none if b_ih is None else b_ih, none if b_hh is None else b_hh


def _direction(x: np.ndarray, weights: Weights, kind: tuple[str, str]) -> np.ndarray:
    h = c = np.zeros((len(x), weights[1].shape[1]))
    outputs = []
    for t in range(x.shape[1]):
        if len(kind[0]) == 4:
            h, c = _lstm(x[:, t], h, c, weights, kind[0])
        else:
            h = _gru(x[:, t], h, weights, kind)
        outputs.append(h)
    return np.stack(outputs, axis=1)


def _lstm(
    x: np.ndarray, h: np.ndarray, c: np.ndarray, weights: Weights, order: str
) -> tuple[np.ndarray, np.ndarray]:
    w_ih, w_hh, b_ih, b_hh = weights
    parts = np.split(x @ w_ih.T + b_ih + h @ w_hh.T + b_hh, 4, axis=-1)
    i, f, g, o = (parts[order.index(gate)] for gate in "ifgo")
    c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
    return _sigmoid(o) * np.tanh(c), c


def _gru(x: np.ndarray, h: np.ndarray, weights: Weights, kind: tuple[str, str]) -> np.ndarray:
    (w_ih, w_hh, b_ih, b_hh), (order, place) = weights, kind

    def split(stacked: np.ndarray) -> list[np.ndarray]:
        parts = np.split(stacked, 3, axis=-1)
        return [parts[order.index(gate)] for gate in "rzn"]

    (x_r, x_z, x_n), (h_r, h_z, h_n) = split(x @ w_ih.T + b_ih), split(h @ w_hh.T)
    b_r, b_z, b_n = split(b_hh)
    r, z = _sigmoid(x_r + h_r + b_r), _sigmoid(x_z + h_z + b_z)
    if place == "before":
        new = x_n + split((r * h) @ w_hh.T)[2] + b_n
    else:
        new = x_n + r * (h_n + b_n * (place == "inside")) + b_n * (place == "outside")
    return (1 - z) * np.tanh(new) + z * h


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(x / 2))


def _cost(case: Case, found: Operation) -> int:
    weights = [case.truth[n].size for n in case.names(f"weight/{found.path}")]
    return sum(weights) * max(found.given.shape[:2])
