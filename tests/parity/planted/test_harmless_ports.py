"""Right ports that are written otherwise than the reference: none may fail."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from parity.screen import render
from parity.verdict import Verdict

REWRITES = (
    "pooling before ReLU", "convolution as a product", "reordered sums", "fused bias",
    "one-sided padding", "ReLU inside", "norm as scale and shift",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", REWRITES)
def test_harmless_rewrite_passes_every_stage(verdict_on: Callable[..., Verdict], name: str) -> None:
    verdict = verdict_on(name, REWRITES)
    assert verdict.passed, render(verdict)
    needed = [r.needed for r in verdict.results if r.needed is not None and r.stage != "init"]
    assert max(needed) <= 1e-12
