"""Running statistics and recorded metrics that follow another convention."""

from __future__ import annotations

import numpy as np

from parity.free_run import LOSSES, amplification, step_errors
from parity.hints.arrays import match, ratio, same, shown
from parity.stages.case import Case
from parity.verdict import Departure, Hint


def biased_variance(case: Case, departure: Departure) -> Hint | None:
    """19: the biased variance of the batch is tracked."""
    row, found = departure.row, shown(case, departure)
    if row is None or found is None or not row.tensor.endswith("running_var"):
        return None
    expected = case.truth.get(f"biased/{row.name}")
    if expected is None or not same(expected.astype(np.float64), found[1], match(case)):
        return None
    text = (
        "it is what tracking the biased variance gives; PyTorch tracks the unbiased one, "
        "n / (n - 1) of it: parity.layers has a BatchNorm that does"
    )
    return Hint(bug=19, text=text)


def momentum(case: Case, departure: Departure) -> Hint | None:
    """18: Flax's momentum is what is kept, PyTorch's what is taken; and the defaults differ."""
    row, found = departure.row, shown(case, departure)
    if row is None or found is None or "running_" not in row.tensor:
        return None
    before = case.truth.get(f"weight/{row.tensor}")
    module = (
        next((m for m in case.structure.modules if m.path == row.layer), None)
        if (case.structure)
        else None
    )
    takes = module.settings.get("momentum") if module else None
    if before is None or not row.name.startswith("train/") or not takes:
        return None
    times = ratio(found[0] - before, found[1] - before, match(case) * 100)
    if times is None:
        return None
    port = times * float(takes)
    text = f"the port takes {port:.9g} of each batch, the reference {takes:.9g}"
    if abs(port - (1 - float(takes))) < 1e-6:
        text += ": inverted; Flax's momentum is what is kept, 1 - PyTorch's"
    return Hint(bug=18, text=text)


def weighted_mean(case: Case, departure: Departure) -> Hint | None:
    """40: an epoch's loss weighted by examples, where the reference takes the mean of batches."""
    row, found = departure.row, shown(case, departure)
    if row is None or found is None or not row.name.startswith("trajectory/record/"):
        return None
    epoch = row.name.split("/")[2]
    sizes, starts = case.evidence.truth.about.get("sizes", {}), _starts(case)
    if epoch not in sizes or found[0].ndim:
        return None
    losses = case.truth[LOSSES][starts[epoch] : starts[epoch] + len(sizes[epoch])]
    if len(losses) != len(sizes[epoch]):
        return None
    means = {
        "the mean of batches": losses.mean(),
        "weighted by examples": np.average(losses, weights=sizes[epoch]),
    }
    which = [
        next((words for words, mean in means.items() if same(np.asarray(mean), value, 1e-6)), None)
        for value in found
    ]
    if None in which or which[0] == which[1]:
        return None
    text = f"the port's is {which[1]}, the reference's is {which[0]}"
    return Hint(bug=40, text=text)


def resumed(case: Case, departure: Departure) -> Hint | None:
    """52: an epoch begins with the right weights, and with another optimizer's state."""
    ours, theirs = case.truth.get(LOSSES), case.port.get(LOSSES)
    if ours is None or theirs is None or ours.shape != theirs.shape:
        return None
    wrong = np.flatnonzero(step_errors(ours, theirs) > amplification(case).limits())
    for epoch, start in _starts(case).items():
        if start and wrong.size and wrong[0] == start + 1:
            text = (
                f"epoch {epoch} begins with the right weights, as its first loss agrees, and its "
                f"first step goes wrong: not with the optimizer's state of the end of epoch "
                f"{int(epoch) - 1}, as after a resume without it, or with another learning rate"
            )
            return Hint(bug=52, text=text)
    return None


def _starts(case: Case) -> dict[str, int]:
    """The place of each epoch's first step, of a pair that has loaders."""
    sizes = case.evidence.truth.about.get("sizes", {})
    starts, steps = {}, 0
    for epoch in sorted(sizes, key=int):
        starts[epoch] = steps
        steps += len(sizes[epoch])
    return starts
