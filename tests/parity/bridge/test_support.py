"""The support table names what there is, and the judges import no framework."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from flax import nnx

import parity.layers
from parity.bridge import support
from parity.bridge.rules import RULES

JUDGES = ["structure", "errors", "declarations", "rules", "matching", "mapping", "support"]


def test_every_rule_has_a_row():
    rows = support.rows()
    for rule in RULES:
        assert rule.reference.removeprefix("torch.") in [row.torch for row in rows]


def test_every_layer_of_ours_has_a_row_and_every_row_a_layer():
    named = {r.flax.split(".")[-1] for r in support.rows() if r.flax.startswith("parity.layers.")}
    assert named == set(parity.layers.__all__)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: f"{r.reference}->{r.port}")
def test_rules_name_classes_that_exist(rule):
    assert hasattr(torch.nn, rule.reference.removeprefix("torch.nn."))
    assert rule.port == "*" or hasattr(nnx, rule.port.removeprefix("flax.nnx."))


def test_replacements_named_in_notes_exist():
    for rule in RULES:
        for word in rule.note.replace(",", " ").split():
            if word.startswith("parity.layers."):
                assert hasattr(parity.layers, word.removeprefix("parity.layers."))


def test_the_judges_import_no_framework():
    imports = "; ".join(f"import parity.bridge.{name}" for name in JUDGES)
    program = f"import sys; {imports}; print({{'torch', 'jax', 'flax'}} & set(sys.modules))"
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert printed.stdout.strip() == "set()"


@pytest.mark.parametrize(("end", "other"), [("torch_end", "jax"), ("flax_end", "torch")])
def test_an_end_imports_one_framework_only(end, other):
    program = f"import sys, parity.bridge.{end}; print({other!r} in sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert printed.stdout.strip() == "False"
