"""Resized pictures: another rule for the nearest, for corners, or antialiasing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from parity.hints.arrays import match, same
from parity.hints.operations import before
from parity.stages.case import Case
from parity.verdict import Departure, Hint

_SOURCES = 2
"""How many of the arrays before are tried."""


@dataclass(frozen=True)
class Rule:
    """One way to resize an axis."""

    words: str
    matrix: Callable[[int, int], np.ndarray]
    """(before, after) -> (after, before)"""
    aligned: bool = False
    antialiased: bool = False
    nearest: bool = False


def resizing(case: Case, departure: Departure) -> Hint | None:
    """28, 29, 30: the reference is one rule of what lies before, the port is another."""
    row = departure.row
    if row is None or row.name not in case.truth or row.name not in case.port:
        return None
    sides = [side[row.name].astype(np.float64) for side in (case.truth, case.port)]
    if sides[0].ndim != 4 or sides[0].shape != sides[1].shape:
        return None
    for name in _sources(case, row.name, row.run):
        given = case.truth[name].astype(np.float64)
        for array in (given, np.maximum(given, 0)) if given.ndim == 4 else ():
            ours, theirs = (_rule(array, side, match(case)) for side in sides)
            if ours is not None and theirs is not None and ours is not theirs:
                text = f"the port resizes {theirs.words}, the reference {ours.words}"
                return Hint(bug=_bug(ours, theirs), text=text)
    return None


def _sources(case: Case, name: str, run: str) -> list[str]:
    """What a resizing module was given, or what layers returned before."""
    given = name.replace("/exit/", "/enter/")
    return [given] if given != name and given in case.truth else before(case, name, run)[:_SOURCES]


def _bug(ours: Rule, theirs: Rule) -> int:
    if ours.antialiased != theirs.antialiased:
        return 28
    if ours.aligned != theirs.aligned:
        return 29
    return 30 if ours.nearest and theirs.nearest else 0


def _rule(x: np.ndarray, y: np.ndarray, tolerance: float) -> Rule | None:
    """The rule by which a picture became another; None for none, and for one of the same size."""
    if x.shape[:2] != y.shape[:2] or x.shape == y.shape:
        return None
    one = x[:1], y[:1]
    return next(
        (r for r in RULES if same(resized(one[0], r, y.shape[2:]), one[1], tolerance)), None
    )


def resized(x: np.ndarray, rule: Rule, size: tuple[int, ...]) -> np.ndarray:
    """A picture (n, c, h, w) by a rule."""
    rows, columns = (rule.matrix(x.shape[2 + i], size[i]) for i in range(2))
    return np.einsum("ih,nchw,jw->ncij", rows, x, columns, optimize=True)


def _taps(count: int, places: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weights at whole places, (after, taps) each; the border repeats."""
    matrix = np.zeros((len(places), count))
    rows = np.broadcast_to(np.arange(len(places))[:, None], places.shape)
    np.add.at(matrix, (rows, np.clip(places, 0, count - 1).astype(int)), weights)
    return matrix


def _centres(count: int, after: int) -> np.ndarray:
    return (np.arange(after) + 0.5) * count / after - 0.5


def _corners(count: int, after: int) -> np.ndarray:
    return np.arange(after) * ((count - 1) / max(after - 1, 1))


def _kernel(x: np.ndarray, a: float | None) -> np.ndarray:
    """The triangle, or Keys' cubic kernel with this constant."""
    x = np.abs(x)
    if a is None:
        return np.maximum(1 - x, 0)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def _torch(positions: Callable[..., np.ndarray], a: float | None) -> Callable[..., np.ndarray]:
    def matrix(count: int, after: int) -> np.ndarray:
        at = positions(count, after)[:, None]
        places = np.floor(at) + np.arange(-1, 3)
        return _taps(count, places, _kernel(at - places, a))

    return matrix


def _jax(a: float | None, antialiased: bool) -> Callable[..., np.ndarray]:
    """`jax.image.resize`, which leaves out what is beyond the border."""

    def matrix(count: int, after: int) -> np.ndarray:
        width = max(count / after, 1.0) if antialiased else 1.0
        apart = _centres(count, after)[:, None] - np.arange(count)
        weights = _kernel(apart / width, a)
        return weights / weights.sum(1, keepdims=True)

    return matrix


def _nearest(positions: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    def matrix(count: int, after: int) -> np.ndarray:
        places = positions(count, after)[:, None]
        return _taps(count, places, np.ones_like(places))

    return matrix


def _by_corner(count: int, after: int) -> np.ndarray:
    return np.floor(np.arange(after) * np.float32(count / after))


def _by_centre(count: int, after: int) -> np.ndarray:
    return np.floor((np.arange(after) + 0.5) * count / after)


RULES = (
    Rule("linearly (align_corners=False, antialias=False)", _torch(_centres, None)),
    Rule("linearly with align_corners=True", _torch(_corners, None), aligned=True),
    Rule("linearly with antialias=True, JAX's default", _jax(None, True), antialiased=True),
    Rule("cubically (a = -0.75, antialias=False)", _torch(_centres, -0.75)),
    Rule("cubically (a = -0.75) with align_corners=True", _torch(_corners, -0.75), aligned=True),
    Rule("cubically (a = -0.5, antialias=False)", _jax(-0.5, False)),
    Rule("cubically with antialias=True, JAX's default", _jax(-0.5, True), antialiased=True),
    Rule("to the nearest by corners (PyTorch's nearest)", _nearest(_by_corner), nearest=True),
    Rule(
        "to the nearest by centres (nearest-exact; JAX's nearest)",
        _nearest(_by_centre),
        nearest=True,
    ),
)
"""PyTorch's and JAX's."""
