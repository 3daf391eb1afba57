"""Which layer of PyTorch is which of NNX: the support table as data.

The stock layers come from the rules themselves; what NNX has not, or does differently, from
`parity.layers`.
"""

from __future__ import annotations

from typing import NamedTuple

from parity.bridge.rules import RULES, Rule


class Row(NamedTuple):
    """A layer of PyTorch, its counterpart in Flax, and what to know about the two."""

    torch: str
    flax: str
    note: str


_OURS = (
    Row("nn.Linear", "Linear", "weight as PyTorch has it"),
    Row("nn.Conv1d, 2d, 3d", "Conv", "every padding_mode, 'same' as PyTorch splits it"),
    Row("nn.ConvTranspose1d, 2d, 3d", "ConvTranspose", "groups, padding, output_padding"),
    Row("nn.BatchNorm1d, 2d, 3d", "BatchNorm", "unbiased running variance, PyTorch's momentum"),
    Row("nn.InstanceNorm1d, 2d, 3d", "InstanceNorm", "running statistics"),
    Row("nn.Embedding", "Embedding", "padding_idx has no gradient"),
    Row("nn.PReLU", "PReLU", "a slope for each channel"),
    Row("nn.MultiheadAttention", "MultiheadAttention", "PyTorch's masks; softmax in float64 too"),
    Row("nn.LSTM", "LSTM", "two biases; no dropout, no proj_size"),
    Row("nn.GRU", "GRU", "two biases, b_hn; no dropout"),
    Row("F.max_pool1d, 2d, 3d", "max_pool", "ties to the first, ceil_mode, dilation, NaN"),
    Row("F.avg_pool1d, 2d, 3d", "avg_pool", "count_include_pad, ceil_mode, divisor_override"),
    Row("F.adaptive_avg_pool1d, 2d, 3d", "adaptive_avg_pool", "windows that overlap"),
    Row("F.interpolate", "resize", "nearest, linear, cubic; align_corners; antialias=False"),
)

_FUNCTIONS = (
    Row("F.relu", "nnx.relu", "gradient 0 at 0; jnp.maximum(x, 0) has 1/2 there"),
    Row("F.gelu", "nnx.gelu(x, approximate=False)", "its default is the tanh approximation"),
)


def rows() -> list[Row]:
    """Every supported layer: stock NNX layers, then those of `parity.layers`, then functions."""
    stock = [_stock(rule) for rule in RULES]
    ours = [Row(row.torch, f"parity.layers.{row.flax}", row.note) for row in _OURS]
    return [*stock, *ours, *_FUNCTIONS]


def table() -> str:
    """The rows in columns, a layer of PyTorch a line."""
    found = [("PyTorch", "Flax", "note"), *rows()]
    widths = [max(len(row[column]) for row in found) for column in (0, 1)]
    lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}".rstrip() for a, b, c in found]
    rule = "  ".join("-" * width for width in (*widths, len("note")))
    return "\n".join([lines[0], rule, *lines[1:]])


def _stock(rule: Rule) -> Row:
    flax = rule.shown or rule.port.removeprefix("flax.")
    return Row(rule.reference.removeprefix("torch."), flax, rule.note)
