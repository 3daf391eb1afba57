"""The harness passes every example, as its README says."""

from __future__ import annotations

from pathlib import Path

import pytest

from parity import assert_parity
from parity.pair_file import load_pair

PAIRS = sorted((Path(__file__).parents[2] / "examples").glob("*/pair.py"))
QUICK = "gru"


def _marked(path: Path) -> object:
    name = path.parent.name
    return pytest.param(path, id=name, marks=[] if name == QUICK else [pytest.mark.slow])


@pytest.mark.parametrize("path", [_marked(path) for path in PAIRS])
def test_every_example_passes_in_both_lanes(path):
    # The processes find the models where load_pair put the pair's folder, on sys.path.
    assert_parity(load_pair(str(path)))
