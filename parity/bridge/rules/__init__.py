"""The rules for the layers that PyTorch and NNX both have, one family a file."""

from parity.bridge.rules import attention, convolution, embedding, linear, normalization, recurrent
from parity.bridge.rules.rule import Arrays, Rule, Site

RULES: tuple[Rule, ...] = (
    *linear.RULES,
    *convolution.RULES,
    *normalization.RULES,
    *embedding.RULES,
    *attention.RULES,
    *recurrent.RULES,
)

__all__ = ["RULES", "Arrays", "Rule", "Site"]
