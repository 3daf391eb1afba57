"""Losses that are another function of the right outputs."""

from __future__ import annotations

import numpy as np

from parity.hints.arrays import match, ratio, same, shown
from parity.stages.case import Case
from parity.verdict import Departure, Hint


def cross_entropy(logits: np.ndarray, targets: np.ndarray) -> float:
    """Mean over the batch, of logits (n, classes) and classes (n,)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-logs[np.arange(len(targets)), targets].mean())


def softmax(logits: np.ndarray) -> np.ndarray:
    """Over the classes."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def softmax_twice(case: Case, departure: Departure) -> Hint | None:
    """35, 36: probabilities taken for logits; or a plain cross-entropy without its smoothing."""
    row = departure.row
    if row is None or not row.run or (batch := _batch(case, row.run)) is None:
        return None
    logits, targets = batch
    found = float(case.port[row.name]) if row.name in case.port else float("nan")
    tolerance = match(case) * max(abs(found), 1.0)
    if abs(cross_entropy(softmax(logits), targets) - found) <= tolerance:
        text = "the loss is the cross-entropy of softmax(outputs): softmax is taken twice"
        return Hint(bug=35, text=text)
    plain = cross_entropy(logits, targets)
    if abs(plain - found) <= tolerance:
        text = "the port's is the plain cross-entropy; the reference's is not (label smoothing?)"
        return Hint(bug=36, text=text)
    return None


def smoothing_over_others(case: Case, departure: Departure) -> Hint | None:
    """36: label smoothing spread over the K - 1 other classes; PyTorch spreads it over all K."""
    row, found = departure.row, shown(case, departure)
    if row is None or found is None or not row.run or (batch := _batch(case, row.run)) is None:
        return None
    logits, targets = batch
    reference, port = (float(array) for array in found)
    classes, plain = logits.shape[1], cross_entropy(logits, targets)
    # Of a target that is uniform, over all classes and over the others.
    uniform = float(-np.log(softmax(logits)).mean())
    others = (classes * uniform - plain) / (classes - 1)
    share = (reference - plain) / (uniform - plain) if uniform != plain else 0.0
    expected = (1 - share) * plain + share * others
    fits = abs(expected - port) <= match(case) * max(abs(port), 1.0)
    if not fits or not 1e-6 < share < 1:
        return None
    text = (
        f"label smoothing of {share:.4g} goes to the {classes - 1} other classes; PyTorch spreads "
        f"it over all {classes}, the right one too"
    )
    return Hint(bug=36, text=text)


def weighted_mean(case: Case, departure: Departure) -> Hint | None:
    """39: a cross-entropy whose mean has another divisor than the sum of the weights."""
    name = "forced/cotangent/output/0"
    logits, targets = case.truth.get("train/output/0"), case.truth.get("target/0")
    sides = [case.truth.get(name), case.port.get(name)]
    if logits is None or targets is None or sides[0] is None or sides[1] is None:
        return None
    if logits.ndim != 2 or targets.shape != logits.shape[:1] or targets.dtype.kind not in "iu":
        return None
    counts = (targets >= 0) & (targets < logits.shape[1])
    ours, theirs = (_shares(logits[counts], targets[counts], side[counts]) for side in sides)
    if ours is None or theirs is None or abs(ours.sum() - 1) > 1e-6:
        return None
    alike = bool(np.ptp(ours) <= 1e-6 * ours.max())
    if not counts.all() and (sides[1][~counts] != 0).any() and not (sides[0][~counts] != 0).any():
        return Hint(bug=39, text=_ignored(targets, counts, "have a gradient in the port"))
    if not alike and np.ptp(theirs) <= 1e-6 * theirs.max():
        return Hint(bug=39, text="the port weighs all examples alike, the reference by their class")
    times = ratio(ours, theirs, match(case))
    if times is None or (alike and counts.all()):
        return None
    if alike and abs(times - counts.mean()) < 1e-6:
        return Hint(bug=39, text=_ignored(targets, counts, "count in the port's mean"))
    text = (
        f"every example has {times:.6g} times the share that it has in the reference, which "
        "divides by the sum of the weights of the examples that count: not by their number, and "
        "without ignored ones (ignore_index)"
    )
    return Hint(bug=39, text=text)


def nominal_batch(case: Case, departure: Departure) -> Hint | None:
    """37: the sum over a short batch divided by the size of a full one."""
    row, found = departure.row, shown(case, departure)
    if row is None or found is None or row.run != "short":
        return None
    short, full = (_size(case, what) for what in ("input.short", "input"))
    reference, port = (float(array) for array in found)
    if not short or not full or not reference:
        return None
    if abs(port / reference - short / full) <= match(case):
        text = (
            f"the port's is {short}/{full} of the reference's, and only for the short batch: its "
            "sum is divided by the size of a full batch"
        )
        return Hint(bug=37, text=text)
    return None


def factor(case: Case, departure: Departure) -> Hint | None:
    """38: half of it (`optax.l2_loss`), or times the batch (a sum instead of a mean)."""
    row, found = departure.row, shown(case, departure)
    if row is None or found is None or found[0].ndim or not float(found[0]):
        return None
    times = float(found[1]) / float(found[0])
    size = _size(case, "input.short" if row.run == "short" else "input")
    if abs(times - 0.5) <= match(case):
        return Hint(bug=38, text="half of the reference's: optax.l2_loss is half the squared error")
    if size and abs(times / size - 1) <= match(case):
        return Hint(bug=37, text="times the batch: a sum where the reference takes a mean")
    return None


def _shares(logits: np.ndarray, targets: np.ndarray, slope: np.ndarray) -> np.ndarray | None:
    """What each example's cross-entropy counts in a loss, from d loss / d logits; None for no such
    loss."""
    if not len(targets):
        return None
    apart = softmax(logits.astype(np.float64)) - np.eye(logits.shape[1])[targets]
    shares = (slope * apart).sum(1) / (apart * apart).sum(1)
    return shares if shares.any() and same(apart * shares[:, None], slope, 1e-4) else None


def _ignored(targets: np.ndarray, counts: np.ndarray, what: str) -> str:
    """Words for examples of no class."""
    return f"{int((~counts).sum())} examples of class {targets[~counts][0]} {what} (ignore_index)"


def _batch(case: Case, run: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Logits (n, classes) and classes (n,) of a pass; None where the task is another one."""
    targets = case.truth.get("target.short/0" if run == "short" else "target/0")
    logits = case.truth.get(f"{run}/output/0")
    if logits is None or targets is None or logits.ndim != 2 or targets.dtype.kind not in "iu":
        return None
    inside = targets.ndim == 1 and targets.size and 0 <= targets.min() <= targets.max()
    if not inside or len(targets) != len(logits) or targets.max() >= logits.shape[1]:
        return None
    return logits.astype(np.float64), targets


def _size(case: Case, prefix: str) -> int:
    names = case.names(prefix)
    return len(case.truth[names[0]]) if names and case.truth[names[0]].ndim else 0
