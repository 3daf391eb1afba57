"""The pair that examples/README.md writes step by step is one that the harness takes."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from parity.bridge import flax_end, torch_end
from parity.bridge.matching import match
from parity.pair_file import load_pair

EXAMPLES = Path(__file__).parents[2] / "examples"
README = (EXAMPLES / "README.md").read_text()


@pytest.fixture
def blocks() -> list[str]:
    """The Python of the README."""
    found = re.findall(r"^( *)```python\n(.*?)^ *```", README, flags=re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(code) for _, code in found]


@pytest.fixture
def written(blocks, tmp_path, monkeypatch) -> Iterator[Path]:
    """A folder with the files that the README's first blocks are, as if a user had written them."""
    names = ("my_torch", "my_flax", "my_pair")
    for name, code in zip(names, blocks, strict=False):
        (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)  # takes away again what load_pair puts there
    yield tmp_path
    for name in names:
        sys.modules.pop(name, None)


def test_the_first_three_blocks_are_a_pair(written):
    pair = load_pair(str(written / "my_pair.py"))
    reference, port = pair.reference(0), pair.port(0)
    mapping = match(torch_end.describe(reference), flax_end.describe(port))
    assert set(mapping.modules) == {"norm", "fc"}
    assert pair.inputs(np.random.default_rng(0), 3).shape == (3, 20)


def test_every_example_is_in_the_table_and_has_a_short_pair():
    pairs = sorted(EXAMPLES.glob("*/pair.py"))
    assert len(pairs) >= 7
    assert {path.parent.name for path in pairs} == set(re.findall(r"^\| \[`(\w+)`\]", README, re.M))
    for path in pairs:
        assert len(path.read_text().splitlines()) < 80


def test_no_pair_imports_a_framework_before_it_builds_a_model():
    code = (
        "import sys; from parity.pair_file import load_pair; "
        "[load_pair(file) for file in sys.argv[1:]]; "
        "print({'torch', 'jax', 'flax', 'torchvision', 'optax'} & set(sys.modules))"
    )
    pairs = [*EXAMPLES.glob("*/pair.py")]
    command = [sys.executable, "-c", code, *map(str, pairs)]
    done = subprocess.run(command, cwd=EXAMPLES.parent, capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("set()", "")


class TakesItsMode(nnx.Module):
    """A port that is told its mode in every call, as many are."""

    def __init__(self, *, rngs):
        self.drop = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x, train):
        return self.drop(x, deterministic=not train)


def test_port_that_takes_its_mode_as_an_argument_follows_train_and_eval(blocks, monkeypatch):
    theirs = ModuleType("my_flax")
    theirs.Net = TakesItsMode
    monkeypatch.setitem(sys.modules, "my_flax", theirs)
    pair = {}
    exec(next(code for code in blocks if "train=not self.deterministic" in code), pair)
    model, x = pair["port"](0), jnp.ones(200)
    for mode, drops in ((model.train, True), (model.eval, False), (model.train, True)):
        mode()
        assert bool((model(x) == 0).any()) is drops
    assert list(flax_end.modules(model)) == ["", "drop"], "the paths are the port's own"
