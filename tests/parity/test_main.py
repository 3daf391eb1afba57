"""`python -m parity`, as a user meets it."""

from __future__ import annotations

from typing import Any


def test_layers_prints_the_support_table(command: Any) -> None:
    done = command("parity", "layers")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["PyTorch", "Flax", "note"]
    assert any(line.split()[:2] == ["nn.Linear", "nnx.Linear"] for line in lines)
    assert any("parity.layers.GRU" in line for line in lines)


def test_word_that_is_no_command_is_refused(command: Any) -> None:
    done = command("parity", "prove")
    assert done.returncode == 2
    assert "invalid choice: 'prove'" in done.stderr
    assert "Traceback" not in done.stderr
