"""Buffers, and the one ruling about them: which variance a batch norm keeps. NumPy only.

PyTorch tracks the unbiased variance of a batch, and normalises with the biased one; stock
`flax.nnx.BatchNorm` tracks the biased one (pytorch#77427). A port that uses it as it is cannot
agree and is not wrong: it is waived, if its numbers are to 1e-10 those of biased tracking, which
the reference's capture holds under `biased/`. Any other class with a biased variance fails.

What the proof lane rules is so in every lane: with many values a batch, a float32 lane could hide
the two variances' difference in its budget, and would spend the budget on it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.numerics import difference
from parity.stages.case import Case
from parity.steps import drift
from parity.suspects import structure_of
from parity.timeline import owner
from parity.tolerance import PROOF_TOLERANCE
from parity.verdict import Row

STOCK = "flax.nnx.BatchNorm"

REASON = (
    "stock flax.nnx.BatchNorm keeps the biased running variance, PyTorch the unbiased one "
    "(n / (n - 1) of it); the port's is exactly what biased tracking gives. Outputs in eval mode "
    "after training differ by that. parity.layers has a BatchNorm that keeps PyTorch's"
)


def buffer_rows(case: Case, prefix: str, when: str) -> list[Row]:
    """Every buffer under a prefix; those that the ruling covers are 'waived'."""
    left_out = dict(case.evidence.port.about.get("left_out", {}).get("reference", {}))
    left_out |= {w["name"]: w["reason"] for w in case.evidence.port.about.get("waivers", [])}
    steps = prefix.removesuffix("/buffer")
    allowance = drift(case, steps)
    rows = []
    for name in case.names(prefix):
        tensor = name.removeprefix(f"{prefix}/")
        what = f"buffer {tensor} {when}"
        more: dict[str, Any] = {"run": steps, "tensor": tensor, "layer": case.layer_of(tensor)}
        if tensor in left_out and name not in case.port:
            rows.append(
                Row(name=name, what=what, status="not compared", fault=left_out[tensor], **more)
            )
            continue
        row = case.row(name, case.ruler.measure(name, allowance=allowance), what, **more)
        if _is_waived(case, name, tensor, row.status == "departs"):
            row = case.row(name, case.ruler.measure(name), what, status="waived", **more)
        rows.append(row)
    return rows


def is_ruled(case: Case, name: str, tensor: str) -> bool:
    """Whether the ruling covers a buffer that departs: the stock class, and biased to the digit."""
    if not tensor.endswith("running_var") or not is_stock(case, tensor):
        return False
    expected, found = case.truth.get(f"biased/{name}"), case.port.get(name)
    if expected is None or found is None:
        return False
    if case.ruler.proves:
        return difference(expected, found).error <= PROOF_TOLERANCE
    # The reference's noise about the unbiased one is the noise about this one.
    shift = expected.astype(np.float64) - case.truth[name].astype(np.float64)
    runs = [run.astype(np.float64) + shift for run in case.ruler.runs(name)]
    return case.ruler.compare(expected, found, runs).agrees


def is_stock(case: Case, tensor: str) -> bool:
    """Whether the port's layer that holds a buffer is exactly `flax.nnx.BatchNorm`."""
    structure = structure_of(case.evidence.port)
    path = case.port_layer(owner(tensor, case.layers))
    kinds = {module.path: module.kind for module in structure.modules} if structure else {}
    return bool(path) and kinds.get(path) == STOCK


def ruled_layers(case: Case) -> frozenset[str]:
    """Batch norms whose running variance is waived anywhere in the update steps."""
    return frozenset(case.layer_of(tensor) for tensor in ruled_tensors(case))


def ruled_tensors(case: Case) -> frozenset[str]:
    """The running variances that are waived anywhere in the update steps."""
    return case.once(("ruled tensors",), lambda: _ruled_tensors(case))


def _ruled_tensors(case: Case) -> frozenset[str]:
    names = [n for n in case.names("update") if "/buffer/" in n and n.endswith("running_var")]
    names += [n for n in case.names("train/buffer") if n.endswith("running_var")]
    ruled = set()
    for name in names:
        tensor = name.partition("/buffer/")[2]
        departs = is_stock(case, tensor) and not case.ruler.measure(name).agrees
        if _is_waived(case, name, tensor, departs):
            ruled.add(tensor)
    return frozenset(ruled)


def _is_waived(case: Case, name: str, tensor: str, departs: bool) -> bool:
    """Whether the ruling covers a buffer that departs in this lane or was ruled in the proof's."""
    proved = case.proof is not None and tensor in ruled_tensors(case.proof)
    return (departs or proved) and is_ruled(case, name, tensor)
