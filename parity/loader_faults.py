"""What two loaders do differently, told from the batches that were stored. NumPy only."""

from __future__ import annotations

import numpy as np

from parity.capture.capture_file import Capture

_CLOSE = 1e-5
"""Relative: loaders hand out float32, and may divide in another order."""

_HALF = 1e-2
"""Relative: float16 and bfloat16 keep 11 and 8 bits."""


def diagnose(reference: Capture, port: Capture, epoch: str) -> str:
    """The difference in words; '' where none is recognised."""
    sizes, others = (list(side.about.get("sizes", {}).get(epoch, [])) for side in (reference, port))
    if len(others) < len(sizes) and others == sizes[: len(others)]:
        missing = ", ".join(str(size) for size in sizes[len(others) :])
        return f"the end of the epoch is missing: batches of {missing} (last batch dropped?)"
    found = ""
    for name in reference.names(f"data/{epoch}"):
        ours, theirs = reference.arrays[name], port.arrays.get(name)
        if theirs is None:
            continue
        what = "inputs" if "/input/" in name else "targets"
        found = found or describe(ours, theirs, what)
    return found or _order(reference, port, epoch)


def describe(ours: np.ndarray, theirs: np.ndarray, what: str = "inputs") -> str:
    """How one batch differs from another that holds the same examples; '' for another reason."""
    if ours.shape != theirs.shape:
        return f"{what} have shape {theirs.shape}, reference {ours.shape}"
    one, two = ours.astype(np.float64), theirs.astype(np.float64)
    if ours.dtype != theirs.dtype and _same(one, two, _HALF):
        return f"{what} are {theirs.dtype}, reference {ours.dtype}"
    if _same(one, two):
        return ""
    if what == "targets":
        return _rows_moved(one, two, what)
    if ours.ndim == 4 and _same(one[:, ::-1], two):
        return "channels are reversed (BGR instead of RGB)"
    return (
        _rounded(one, two)
        or _factor(one, two)
        or _normalised(one, two)
        or _rows_moved(one, two, what)
    )


def _rounded(one: np.ndarray, two: np.ndarray) -> str:
    """Port = reference, rounded to fewer bits on the way."""
    with np.errstate(over="ignore"):
        half = one.astype(np.float16).astype(np.float64)
    if np.array_equal(half, two):
        return "inputs were rounded to float16 on their way (11 bits are left)"
    if np.array_equal(_bfloat16(one), two):
        return "inputs were rounded to bfloat16 on their way (8 bits are left)"
    return ""


def _bfloat16(values: np.ndarray) -> np.ndarray:
    """Rounded to nearest, ties to even: the upper half of a float32."""
    bits = values.astype(np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return rounded.astype(np.uint32).view(np.float32).astype(np.float64)


def _factor(one: np.ndarray, two: np.ndarray) -> str:
    """Port = factor x reference."""
    total = float((one * one).sum())
    factor = float((one * two).sum()) / total if total else 0.0
    if not factor or not _same(one * factor, two):
        return ""
    known = {255 / 256: "255/256: divided by 256 instead of 255", 255.0: "not divided by 255"}
    words = next((text for value, text in known.items() if abs(factor / value - 1) < _CLOSE), "")
    return f"inputs are {factor:.6g} times the reference's" + (f" ({words})" if words else "")


def _normalised(one: np.ndarray, two: np.ndarray) -> str:
    """Port = scale x reference + shift, for each channel (axis 1)."""
    if one.ndim < 2 or min(one.shape) == 0:
        return ""
    ours = np.moveaxis(one, 1, 0).reshape(one.shape[1], -1)
    theirs = np.moveaxis(two, 1, 0).reshape(two.shape[1], -1)
    if ours.shape[1] < 3:
        return ""
    fits = []
    for x, y in zip(ours, theirs, strict=True):
        spread = x - x.mean()
        total = float((spread * spread).sum())
        if not total:
            return ""
        scale = float((spread * (y - y.mean())).sum()) / total
        shift = float(y.mean() - scale * x.mean())
        if not _same(scale * x + shift, y):
            return ""
        fits.append(f"{scale:.4g} x {shift:+.4g}")
    return f"inputs are normalised on one side only: port = {'; '.join(fits)} by channel"


def _rows_moved(one: np.ndarray, two: np.ndarray, what: str) -> str:
    """The same examples in another order."""
    ours, theirs = (sorted(row.tobytes() for row in array) for array in (one, two))
    return f"the same {what} in another order" if ours == theirs else ""


def _order(reference: Capture, port: Capture, epoch: str) -> str:
    """Whether an epoch's batches are those of the other, in another order."""
    ours, theirs = (list(side.about.get("data", {}).get(epoch, [])) for side in (reference, port))
    if ours and sorted(ours) == sorted(theirs):
        return "the same batches in another order"
    return "other examples: the order of the epoch differs"


def _same(one: np.ndarray, two: np.ndarray, tolerance: float = _CLOSE) -> bool:
    scale = float(np.abs(one).max(initial=0.0))
    return bool(np.abs(one - two).max(initial=0.0) <= tolerance * scale)
