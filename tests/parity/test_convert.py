"""Weights of a pair go from one framework's file to the other's and back, bit by bit."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from parity.convert import ConvertError, convert
from parity.pair import PairError

CNN = """
from experiment.recipe import Recipe
from parity import Pair

def reference(seed):
    from torch_ref.model import Cnn
    return Cnn(Recipe())

def port(seed):
    from jax_impl.model import Cnn
    return Cnn(Recipe())

def inputs(generator, n):
    return generator.random((n, 3, 32, 32))

PAIR = Pair(name="cnn", reference=reference, port=port, inputs=inputs)
"""

NET = """
from parity import Pair, Waiver

def reference(seed):
    import torch
    net = torch.nn.Module()
    net.norm = torch.nn.BatchNorm1d(3)
    net.lstm = torch.nn.LSTM(3, 4)
    net.head = torch.nn.Linear(4, 5, bias=False)
    net.tied = torch.nn.Linear(4, 5, bias=False)
    net.tied.weight = net.head.weight
    return net

def made(lstm):
    def port(seed):
        from flax import nnx
        rngs = nnx.Rngs(0)
        head, tied = (nnx.Linear(4, 5, use_bias=False, rngs=rngs) for _ in range(2))
        tied.kernel = head.kernel
        norm = nnx.BatchNorm(3, rngs=rngs)
        return nnx.Dict(norm=norm, lstm=lstm(rngs), head=head, tied=tied)
    return Pair(name="net", reference=reference, port=port, inputs=lambda g, n: g.random((n, 2, 3)))

def exact(rngs):
    from parity.layers import LSTM
    return LSTM(3, 4, rngs=rngs)

def lossy(rngs):
    from flax import nnx
    return nnx.RNN(nnx.LSTMCell(3, 4, rngs=rngs))

PAIR, LOSSY = made(exact), made(lossy)
BROKEN = Pair(name="broken", reference=lambda seed: 3, port=lambda seed: 1 / 0, inputs=made)
"""


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Loading a pair puts its folder into `sys.path`."""
    path = list(sys.path)
    yield
    sys.path[:] = path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pair files."""
    (tmp_path / "cnn.py").write_text(CNN)
    (tmp_path / "net.py").write_text(NET)
    return tmp_path


@pytest.fixture
def state(folder: Path):
    """A random state_dict of a pair's reference."""

    def state(name: str) -> dict[str, torch.Tensor]:
        space: dict = {}
        exec((folder / f"{name}.py").read_text(), space)
        kept = space["reference"](0).state_dict()
        generator = torch.Generator().manual_seed(1)
        random = {
            n: torch.randn(t.shape, generator=generator) if t.is_floating_point() else t + 7
            for n, t in kept.items()
        }
        if "tied.weight" in random:
            random["tied.weight"] = random["head.weight"].clone()
        return random

    return state


def same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert found[name].shape == tensor.shape
        assert torch.equal(*(t.flatten().view(torch.uint8) for t in (found[name], tensor)))


def about(file: Path) -> dict[str, str]:
    with safe_open(file, framework="numpy") as opened:
        return json.loads(opened.metadata()["about"])


def refused(error: type[Exception], *arguments, texts=(), **options) -> None:
    with pytest.raises(error) as caught:
        convert(*arguments, **options)
    for text in texts:
        assert text in str(caught.value)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_the_network_there_and_back(folder: Path, state, dtype: torch.dtype) -> None:
    weights = {name: tensor.to(dtype) for name, tensor in state("cnn").items()}
    save_file(weights, folder / "w.safetensors")
    lines: list[str] = []
    spec = str(folder / "cnn.py")
    there = convert(folder / "w.safetensors", spec, "flax", None, lines.append)
    assert there == folder / "w.flax.safetensors"
    flax = load_file(there)
    # OIHW -> HWIO, and (out, in) -> (in, out): Flax's layouts, said by hand.
    assert torch.equal(flax["conv1/kernel"], weights["conv1.weight"].permute(2, 3, 1, 0))
    assert torch.equal(flax["fc2/kernel"], weights["fc2.weight"].T)
    assert about(there) == {"pair": "cnn", "to": "flax", "from": "w.safetensors"}
    assert any("conv1" in line for line in lines)
    assert "10 tensors written" in lines[-1]

    back = convert(there, spec, "torch", folder / "back.safetensors", lines.append)
    same(load_file(back), weights)
    assert about(back)["to"] == "torch"
    again = convert(back, spec, "flax", folder / "again.safetensors", lines.append)
    same(load_file(again), flax)


def test_buffers_recurrent_and_tied_layers(folder: Path, state) -> None:
    weights = state("net")
    torch.save({"state_dict": weights, "epoch": 3}, folder / "w.pt")
    lines: list[str] = []
    there = convert(folder / "w.pt", str(folder / "net.py"), "flax", None, lines.append)
    assert torch.equal(load_file(there)["norm/mean"], weights["norm.running_mean"])
    assert "not in the output: norm.num_batches_tracked" in lines
    back = convert(there, str(folder / "net.py"), "torch", None, lines.append)
    assert "as in a new reference: norm.num_batches_tracked" in lines
    weights["norm.num_batches_tracked"] = torch.tensor(0)
    same(load_file(back), weights)

    space: dict = {}
    exec(NET, space)
    model = space["reference"](0)
    model.load_state_dict(load_file(back))  # strict
    assert torch.equal(model.lstm.bias_hh_l0, weights["lstm.bias_hh_l0"])


@pytest.mark.parametrize("wrap", [lambda w: w, lambda w: {"model": w}])
@pytest.mark.parametrize("ending", [".pt", ".pth"])
def test_pytorchs_files(folder: Path, state, wrap, ending: str) -> None:
    weights = state("cnn")
    torch.save(wrap(weights), folder / f"w{ending}")
    out = folder / "there.safetensors"
    convert(folder / f"w{ending}", str(folder / "cnn.py"), "flax", out, lambda line: None)
    np.testing.assert_array_equal(load_file(out)["fc2/bias"], weights["fc2.bias"])


def test_lossy_layers_do_not_go_back(folder: Path, state) -> None:
    save_file(state("net"), folder / "w.safetensors")
    spec = f"{folder / 'net.py'}:LOSSY"
    there = convert(folder / "w.safetensors", spec, "flax", None, lambda line: None)
    out = folder / "back.safetensors"
    texts = ("lstm: lossy: two biases become their sum", "parity.layers")
    refused(ConvertError, there, spec, "torch", out, texts=texts)
    assert not out.exists()


def test_names_and_shapes_that_do_not_fit(folder: Path, state) -> None:
    weights, spec = state("cnn"), str(folder / "cnn.py")
    weights["fc3.bias"] = weights.pop("fc2.bias")
    save_file(weights, folder / "names.safetensors")
    texts = ("names.safetensors: ", "missing: fc2.bias", "of no use there: fc3.bias")
    refused(ConvertError, folder / "names.safetensors", spec, "flax", None, texts=texts)
    weights = state("cnn")
    weights["fc2.bias"] = torch.ones(11)
    save_file(weights, folder / "shapes.safetensors")
    texts = ("fc2.bias: expected shape (10,), found (11,)",)
    refused(ConvertError, folder / "shapes.safetensors", spec, "flax", None, texts=texts)


def test_one_tensor_with_two_values(folder: Path, state) -> None:
    weights = state("net")
    weights["tied.weight"] += 1
    save_file(weights, folder / "w.safetensors")
    texts = ("tied.weight and head.weight are one tensor",)
    spec = str(folder / "net.py")
    refused(ConvertError, folder / "w.safetensors", spec, "flax", None, texts=texts)


def test_the_wrong_direction(folder: Path, state) -> None:
    save_file(state("cnn"), folder / "w.safetensors")
    spec = str(folder / "cnn.py")
    texts = ("names are torch's already (conv1.bias...)", "say --to flax")
    refused(ConvertError, folder / "w.safetensors", spec, "torch", None, texts=texts)
    refused(ConvertError, folder / "w.safetensors", spec, "keras", None, texts=("'keras'",))


def test_the_input_is_never_overwritten(folder: Path, state) -> None:
    file, spec = folder / "w.safetensors", str(folder / "cnn.py")
    save_file(state("cnn"), file)
    (folder / "link.safetensors").symlink_to(file)
    for out in (file, folder / "link.safetensors", folder / "." / "w.safetensors"):
        refused(ConvertError, file, spec, "flax", out, texts=("is the input",))
    refused(ConvertError, file, spec, "flax", folder / "w.npz", texts=(".safetensors",))
    refused(ConvertError, file, spec, "flax", folder / "no" / "w.safetensors", texts=("no folder",))


def test_what_the_pair_gives_is_no_model(folder: Path) -> None:
    save_file({"a": torch.ones(1)}, folder / "w.safetensors")
    spec = f"{folder / 'net.py'}:BROKEN"
    texts = ("reference returned int, expected a torch Module",)
    refused(PairError, folder / "w.safetensors", spec, "flax", None, texts=texts)
