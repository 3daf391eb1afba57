"""Pairs that cannot be captured: each is told what was found, where, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Refused = Callable[..., str]

BAD_FILES = {
    "missing": (None, ["my_pair.py", "no such file"]),
    "import": ("import not_a_module_at_all\n", ["does not import", "not_a_module_at_all", ":1"]),
    "syntax": ("x = 1\ndef broken(:\n", ["is not Python", "my_pair.py:2", "def broken(:"]),
    "raises": ("\n\n1 / 0\n", ["ZeroDivisionError", "my_pair.py:3"]),
    "empty": ("x = 1\n", ["expected a parity.Pair called PAIR, there is none"]),
    "other": ("PAIR = 3\n", ["expected a parity.Pair called PAIR, it is int"]),
    "fields": (
        "from parity import Pair\nPAIR = Pair(name='a', reference=1, port=len, inputs=len)\n",
        ["reference: found 1, expected a function", "my_pair.py:2"],
    ),
}

BAD_REFERENCES = {
    "factory": (
        "reference=lambda seed: 1 / 0",
        ["reference failed: ZeroDivisionError", "my_pair.py:"],
    ),
    "class": ("reference=lambda seed: 3", ["reference returned int, expected a torch.nn.Module"]),
    "inputs": ("inputs=lambda g, n: g.nothing()", ["inputs failed: AttributeError", "my_pair.py:"]),
    "arguments": ("inputs=lambda g: g", ["inputs failed: TypeError", "my_pair.py:"]),
    "text": ("inputs=lambda g, n: 'pictures'", ["inputs: found str", "expected NumPy arrays"]),
    "objects": ("inputs=lambda g, n: object()", ["inputs: found object", "expected NumPy arrays"]),
    "nothing": ("inputs=lambda g, n: ()", ["inputs: found (), which holds no array"]),
    "targets": ("targets=lambda g, n: 1 / 0", ["targets failed: ZeroDivisionError"]),
    "shape": (
        "inputs=lambda g, n: g.normal(size=(n, 7, 4, 5))",
        ["the reference's forward failed", "small_pair.py", "2 channels"],
    ),
    "loss": ("reference_loss=lambda o, t: o.nothing", ["reference_loss failed: AttributeError"]),
    "not scalar": (
        "reference_loss=lambda o, t: o",
        ["reference_loss returned shape (8, 4), expected a scalar tensor"],
    ),
    "optimizer": (
        "reference_optimizer=lambda m, r: 1 / 0, port_optimizer=len",
        ["reference_optimizer failed: ZeroDivisionError"],
    ),
    "no optimizer": (
        "reference_optimizer=lambda m, r: 3, port_optimizer=len",
        ["reference_optimizer returned int, expected a torch.optim.Optimizer"],
    ),
}

BAD_PORTS: dict[str, tuple[str, list[str]]] = {
    "factory": ("port=lambda seed: 1 / 0", ["port failed: ZeroDivisionError", "my_pair.py:"]),
    "class": ("port=lambda seed: 3", ["port returned int, expected a flax.nnx.Module"]),
    "inputs": ("port_inputs=lambda x: x", ["the port's __call__ failed", "my_pair.py:"]),
    "loss": ("port_loss=lambda o, t: o.nothing", ["port_loss failed: AttributeError"]),
    "not scalar": (
        "port_loss=lambda o, t: o",
        ["port_loss returned shape (8, 4), expected a scalar"],
    ),
    "outputs": (
        "port_outputs=lambda y: {'logits': y}",
        ["return different things", "reference: 0: (8, 4)", "port: logits: (8, 4)", "port_outputs"],
    ),
    "output shapes": (
        "port_outputs=lambda y: y.T",
        ["return different things", "reference: 0: (8, 4)", "port: 0: (4, 8)"],
    ),
    "outputs changed": (
        "port_outputs=lambda y: y + 1",
        ["port_outputs does more than move elements"],
    ),
    "own random numbers": (
        "port=noisy_port",
        ["the port cannot be captured: it draws random numbers of its own", "train/"],
    ),
}

NOISY_PORT = """
def noisy_port(seed):
    import jax

    return make_port(seed, lambda net, x: x + jax.random.normal(net.drop.rngs(), x.shape))

"""


@pytest.fixture
def refused(forked: Any, pair_file: Any, captures: Any, tmp_path: Path) -> Refused:
    """Capture a changed pair, which must be refused with all of these texts; what was said."""

    def capture(framework: str, more: str, texts: list[str]) -> str:
        pair_file(tmp_path, more)
        argv = ["capture", "my_pair.py", "--framework", framework, "--lane", "float64"]
        if framework == "jax":
            argv += ["--oracle", str(captures("torch"))]
        done = forked(tmp_path, *argv, "--out", "out.safetensors")
        said = done.stdout + done.stderr
        assert done.returncode == 2, said
        assert "Traceback" not in said
        assert not (tmp_path / "out.safetensors").exists()
        assert done.stderr.count("error: ") == 1
        for text in texts:
            assert text.replace("small_pair.py", "my_pair.py") in done.stderr, done.stderr
        return done.stderr

    return capture


@pytest.mark.parametrize("case", BAD_FILES)
def test_file(forked, tmp_path, case):
    content, texts = BAD_FILES[case]
    if content is not None:
        (tmp_path / "my_pair.py").write_text(content)
    argv = ["capture", "my_pair.py", "--framework", "torch", "--lane", "float64", "--out", "o"]
    done = forked(tmp_path, *argv)
    assert done.returncode == 2
    assert "Traceback" not in done.stdout + done.stderr
    for text in texts:
        assert text in done.stderr, done.stderr


@pytest.mark.parametrize("case", BAD_REFERENCES)
def test_reference(refused, case):
    fields, texts = BAD_REFERENCES[case]
    refused("torch", f"PAIR = changed({fields})\n", texts)


SLOW_PORTS = ("own random numbers",)


@pytest.mark.parametrize(
    "case",
    [pytest.param(c, marks=pytest.mark.slow if c in SLOW_PORTS else ()) for c in BAD_PORTS],
)
def test_port(refused, case):
    fields, texts = BAD_PORTS[case]
    refused("jax", f"{NOISY_PORT}PAIR = changed({fields})\n", texts)


def test_reference_that_drops_by_a_function_of_its_own(refused):
    more = """
def dropping(seed):
    import torch.nn.functional as F
    from torch import nn

    class Dropping(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(4, 4)

        def forward(self, x):
            return F.dropout(self.inner(x), 0.5, self.training)

    model = reference(seed)
    model.head = Dropping()
    model.register_forward_hook(lambda model, args, y: model.head(y))
    return model

PAIR = changed(reference=dropping)
"""
    texts = ["the reference cannot be captured: it draws random numbers of its own"]
    said = refused("torch", more, [*texts, "first at head (call 1, train pass)"])
    assert "nn.Dropout layers" in said


def test_weights_whose_shapes_do_not_fit(refused):
    more = """
def wide(seed):
    from flax import nnx

    model = make_port(seed)
    model.conv = nnx.Conv(2, 7, (3, 3), padding="VALID", rngs=nnx.Rngs(0))
    return model

PAIR = changed(port=wide)
"""
    refused("jax", more, ["conv", "3x2x3x3", "expected (3,), found (7,)"])


def test_unmatched_parameters_are_listed_in_full_on_both_sides(refused):
    more = """
def other(seed):
    from flax import nnx

    class Net(nnx.Module):
        def __init__(self, rngs):
            self.layers = nnx.List([nnx.Linear(9, 9 + i, rngs=rngs) for i in range(12)])

        def __call__(self, x):
            return x

    return Net(nnx.Rngs(seed))

PAIR = changed(port=other)
"""
    refused("jax", more, ["conv", "norm", "last", "layers/0", "layers/7", "layers/11"])
