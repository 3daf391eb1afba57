"""Attention with its packed weights taken apart otherwise, another scale, or another mask."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from parity.hints.arrays import match, same, shown
from parity.stages.case import Case
from parity.verdict import Departure, Hint

_LARGEST = 2_000_000
"""Scores above which nothing is tried."""

Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Attention:
    """One call of `torch.nn.MultiheadAttention` without dropout, batch first."""

    query: Array
    """(n, queries, features), as `key` and `value` (n, keys, features)."""
    key: Array
    value: Array
    weight: Array
    """(3 * features, features), and `bias` (3 * features,)."""
    bias: Array
    out_weight: Array
    out_bias: Array
    heads: int
    padding: Array | None = None
    """(n, keys), True shuts out."""
    order: tuple[int, ...] = (0, 1, 2)
    """Where query, key and value stand in the packed weight."""
    within_heads: bool = False
    """Whether the packed weight holds the three of each head together."""
    scale: float = 0.0
    """What scores are divided by; 0 for the square root of a head's features."""

    @property
    def head(self) -> int:
        """Features of a head."""
        return self.query.shape[-1] // self.heads

    def output(self) -> Array:
        """(n, queries, features)"""
        query, key, value = (self._projected(i) for i in range(3))
        scores = np.einsum("nqhd,nkhd->nhqk", query, key) / (self.scale or self.head**0.5)
        if self.padding is not None:
            scores = np.where(self.padding[:, None, None], -np.inf, scores)
        with np.errstate(invalid="ignore"):  # all shut out: NaN, as in both frameworks
            powers = np.exp(scores - scores.max(-1, keepdims=True))
        y = np.einsum("nhqk,nkhd->nqhd", powers / powers.sum(-1, keepdims=True), value)
        return y.reshape(self.query.shape) @ self.out_weight.T + self.out_bias

    def _projected(self, which: int) -> Array:
        place, features = self.order[which], self.query.shape[-1]
        rows = np.arange(3 * features)
        if self.within_heads:
            rows = rows.reshape(self.heads, 3, self.head).swapaxes(0, 1).ravel()
        rows = rows[place * features : (place + 1) * features]
        x = (self.query, self.key, self.value)[which]
        return (x @ self.weight[rows].T + self.bias[rows]).reshape(*x.shape[:2], self.heads, -1)


def variant(case: Case, departure: Departure) -> Hint | None:
    """33, 34: the port's attention is the reference's in another convention."""
    found, attention = shown(case, departure), _attention(case, departure)
    if found is None or attention is None:
        return None
    reference, port = found
    if reference.shape != attention.query.shape:
        return None
    if not same(attention.output(), reference, match(case)):
        return None  # a mask or a dropout that is not followed here
    for bug, text, other in _variants(attention):
        if same(other.output(), port, match(case)):
            return Hint(bug=bug, text=f"the port {text}")
    return None


def _variants(plain: Attention) -> Iterator[tuple[int, str, Attention]]:
    names = ("query", "key", "value")
    text = "takes the packed in_proj for {}; PyTorch packs query, key, value"
    for order in itertools.permutations(range(3)):
        if order != (0, 1, 2):
            listed = ", ".join(names[order.index(place)] for place in range(3))
            yield 33, text.format(listed), replace(plain, order=order)
    packed = text.format("query, key and value of each head together")
    yield 33, packed, replace(plain, within_heads=True)
    right = f"; PyTorch divides by the square root of a head's features, {plain.head}"
    for scale, words in (
        (plain.query.shape[-1] ** 0.5, "the square root of all features"),
        (1.0, "nothing"),
        (float(plain.head), "a head's features, not their square root"),
    ):
        yield 34, f"divides the scores by {words}{right}", replace(plain, scale=scale)
    if plain.padding is not None:
        text = "attends where the mask is True; PyTorch's shuts out there"
        yield 34, text, replace(plain, padding=~plain.padding)
        yield 34, "does not apply the mask", replace(plain, padding=None)


def _attention(case: Case, departure: Departure) -> Attention | None:
    """What the reference's layer did; None for another layer, or one that is not followed here."""
    row, structure = departure.row, case.structure
    if row is None or "/exit/" not in row.name or structure is None:
        return None
    module = next((m for m in structure.modules if m.path == departure.layer), None)
    if module is None or "torch.nn.MultiheadAttention" not in module.kinds:
        return None
    place = row.name.replace("/exit/", "/enter/").rpartition("/")[0]
    given = {n.rpartition("/")[2]: case.truth[n] for n in case.names(place)}
    weights = {
        name: case.truth.get(f"weight/{module.path}.{name}")
        for name in ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")
    }
    inputs = [given.get(name) for name in ("0", "1", "2")]
    if any(array is None for array in (*weights.values(), *inputs)):
        return None
    query, key, value = (
        array.astype(np.float64) if module.settings.get("batch_first") else array.swapaxes(0, 1)
        for array in inputs
        if array is not None
    )
    heads = int(module.settings["num_heads"])
    padding = given.get("key_padding_mask", given.get("3"))
    if query.ndim != 3 or len(query) * heads * query.shape[1] * key.shape[1] > _LARGEST:
        return None
    if padding is not None and padding.dtype != bool:
        return None
    in_weight, in_bias, out_weight, out_bias = weights.values()
    return Attention(
        query=query, key=key, value=value, weight=in_weight, bias=in_bias, heads=heads,
        out_weight=out_weight, out_bias=out_bias, padding=padding,
    )  # fmt: skip
