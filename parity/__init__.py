"""Prove that a port to Flax NNX computes what its PyTorch reference computes.

    from parity import Pair, assert_parity

    def test_port():
        assert_parity(Pair(name="my_net", reference=..., port=..., inputs=...))

Importing this imports numpy only; each framework runs in a process of its own.
"""

import sys

# `python -m parity` imports this package before its own first line: Ctrl-C is to be quiet from here
# on. Elsewhere Ctrl-C is not ours. sys.argv[0] is '-m' until the module named there begins.
_WORDS = sys.orig_argv
if sys.argv[:1] == ["-m"] and "-m" in _WORDS and _WORDS[_WORDS.index("-m") + 1] == "parity":
    from experiment.interrupts import end_quietly_until_the_command_runs

    end_quietly_until_the_command_runs()

from parity.bridge.declarations import Flatten, Waiver
from parity.bridge.rules.rule import Rule
from parity.bridge.structure import ModuleSpec
from parity.pair import Pair, PairError, Training, channels_first, channels_last
from parity.verify import assert_parity, verify

__all__ = [
    "Flatten",
    "ModuleSpec",
    "Pair",
    "PairError",
    "Rule",
    "Training",
    "Waiver",
    "assert_parity",
    "channels_first",
    "channels_last",
    "verify",
]
