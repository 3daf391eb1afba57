"""Activations with another slope, or in an approximation."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from parity.hints.arrays import match, same, shown
from parity.stages.case import Case
from parity.verdict import Departure, Hint

_SAMPLE = 5000
"""Values that are tried: each needs a call of math.erf."""

_ENOUGH = 4
"""Negative values that a slope is told from."""


def variant(case: Case, departure: Departure) -> Hint | None:
    """24, 25: GELU by another formula; leaky ReLU or ELU with another slope."""
    found = shown(case, departure)
    if found is None or found[0].shape != found[1].shape:
        return None
    for given in _given(case, departure, found[0].shape):
        x, reference, port = (a.ravel()[:_SAMPLE] for a in (given, *found))
        hint = _gelu(x, reference, port, match(case)) or _slope(x, reference, port, match(case))
        if hint is not None:
            return hint
    return None


def gelu(x: np.ndarray) -> np.ndarray:
    """By the normal distribution, as PyTorch's default."""
    erf = np.array([math.erf(value) for value in x / math.sqrt(2)])
    return x * (1 + erf) / 2


def gelu_tanh(x: np.ndarray) -> np.ndarray:
    """By tanh, as JAX's default. Source: https://arxiv.org/abs/1606.08415"""
    return x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


def gelu_sigmoid(x: np.ndarray) -> np.ndarray:
    """By a sigmoid, from the same paper."""
    return x / (1 + np.exp(-1.702 * x))


def _gelu(x: np.ndarray, reference: np.ndarray, port: np.ndarray, tolerance: float) -> Hint | None:
    formulas = {
        "erf (approximate=False)": gelu(x),
        "the tanh approximation (JAX's default)": gelu_tanh(x),
        "the sigmoid approximation": gelu_sigmoid(x),
    }
    ours, theirs = (
        next((words for words, y in formulas.items() if same(y, side, tolerance)), None)
        for side in (reference, port)
    )
    if ours is None or theirs is None or ours == theirs:
        return None
    return Hint(bug=24, text=f"the port's GELU is {theirs}, the reference's {ours}")


def _slope(x: np.ndarray, reference: np.ndarray, port: np.ndarray, tolerance: float) -> Hint | None:
    below = x < 0
    if below.sum() < _ENOUGH:
        return None
    for name, basis in (("leaky ReLU's slope", x), ("ELU's alpha", np.expm1(np.minimum(x, 0)))):
        factors = []
        for side in (reference, port):
            factor = float((side[below] * basis[below]).sum() / (basis[below] ** 2).sum())
            factors += [factor] * same(np.where(below, factor * basis, x), side, tolerance)
        if len(factors) == 2 and abs(factors[0] - factors[1]) > 1e-6:
            text = f"{name} is {factors[1]:.4g} in the port and {factors[0]:.4g} in the reference"
            return Hint(bug=25, text=text)
    return None


def _given(case: Case, departure: Departure, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """What the activation may have been given: by its own layer, or by the layer before."""
    assert departure.row is not None
    run = departure.row.run
    places = [("enter", departure.layer), ("exit", departure.after)]
    for event in case.events(run):
        if (event.kind, event.layer) in places and event.layer:
            for name in event.names(run):
                array = case.truth.get(name)
                if array is not None and array.shape == shape and array.dtype.kind == "f":
                    yield array.astype(np.float64)
