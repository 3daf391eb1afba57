"""What the two ends say about a model, and that no memory crosses with the numbers."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

from parity.bridge import flax_end, torch_end
from parity.bridge.errors import LoadError
from parity.bridge.structure import Structure


def _by_path(structure):
    return {module.path: module for module in structure.modules}


def test_settings_say_what_decides_a_layers_meaning(rngs):
    torch_conv = torch_end.describe(nn.Conv2d(4, 6, 3, stride=2, groups=2, padding_mode="reflect"))
    settings = _by_path(torch_conv)[""].settings
    assert settings["stride"] == [2, 2]
    assert settings["groups"] == 2
    assert settings["padding_mode"] == "reflect"
    flax_conv = flax_end.describe(nnx.Conv(4, 6, (3, 3), strides=2, padding="SAME", rngs=rngs))
    settings = _by_path(flax_conv)[""].settings
    assert settings["strides"] == 2
    assert settings["padding"] == "SAME"
    assert _by_path(torch_end.describe(nn.GELU("tanh")))[""].settings["approximate"] == "tanh"
    assert _by_path(flax_end.describe(nnx.BatchNorm(3, rngs=rngs)))[""].settings["epsilon"] == 1e-5


@pytest.mark.parametrize("side", ["torch", "flax"])
def test_structures_survive_json(side, rngs):
    if side == "torch":
        structure = torch_end.describe(
            nn.Sequential(nn.MultiheadAttention(4, 2), nn.BatchNorm1d(3))
        )
    else:
        attention = nnx.MultiHeadAttention(2, 4, rngs=rngs)
        structure = flax_end.describe(nnx.Sequential(attention, nnx.BatchNorm(3, rngs=rngs)))
    assert Structure.from_json(structure.to_json()) == structure


def test_what_is_left_out_is_said(rngs):
    class Positions(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("table", torch.zeros(3), persistent=False)

    reference = nn.Sequential(nn.BatchNorm1d(3), Positions(), nn.BatchNorm1d(3, momentum=None))
    structure = torch_end.describe(reference)
    assert structure.left_out.keys() == {"0.num_batches_tracked", "1.table"}
    assert "2.num_batches_tracked" in dict(structure.tensors())
    assert torch_end.export(reference).keys() == dict(structure.tensors()).keys()

    class Port(nnx.Module):
        def __init__(self):
            self.dropout = nnx.Dropout(0.5, rngs=rngs)
            self.cache = nnx.Cache(jnp.zeros(2))
            self.table = nnx.data(jnp.zeros(3))
            self.linear = nnx.Linear(2, 3, rngs=rngs)

    left_out = flax_end.describe(Port()).left_out
    assert left_out.keys() == {"dropout/rngs", "cache", "table"}
    assert left_out["dropout/rngs"] == "random state"
    assert flax_end.export(Port()).keys() == {"linear/kernel", "linear/bias"}


def test_shared_modules_and_tied_tensors_are_listed_once(rngs):
    shared = nn.Linear(2, 3)
    reference = nn.ModuleDict({"a": shared, "b": nn.ModuleList([shared]), "c": nn.Linear(2, 3)})
    reference["c"].weight = shared.weight
    modules = _by_path(torch_end.describe(reference))
    assert modules["a"].aliases == ("b.0",)
    assert "b.0" not in modules
    assert modules["c"].tensors[0].shared_with == "a.weight"
    assert torch_end.export(reference).keys() == {"a.weight", "a.bias", "c.bias"}

    layer = nnx.Linear(2, 3, rngs=rngs)
    port = nnx.Dict(a=layer, b=nnx.List([layer]), c=nnx.Linear(2, 3, rngs=rngs))
    port["c"].kernel = layer.kernel
    modules = _by_path(flax_end.describe(port))
    assert modules["a"].aliases == ("b/0",)
    assert "b/0" not in modules
    assert {t.name: t.shared_with for t in modules["c"].tensors}["kernel"] == "a/kernel"
    assert flax_end.export(port).keys() == {"a/kernel", "a/bias", "c/bias"}


def test_pytorch_memory_does_not_cross():
    model = nn.Linear(2, 3)
    exported = torch_end.export(model)
    before = {name: array.copy() for name, array in exported.items()}
    with torch.no_grad():
        model.weight.zero_()
    np.testing.assert_array_equal(exported["weight"], before["weight"])
    torch_end.load(model, exported)
    exported["weight"][:] = 7
    assert torch.equal(model.weight, torch.from_numpy(before["weight"]))


def test_jax_memory_does_not_cross(rngs):
    model = nnx.Linear(2, 3, rngs=rngs)
    exported = flax_end.export(model)
    before = exported["kernel"].copy()
    flax_end.load(model, exported)
    exported["kernel"][:] = 7
    np.testing.assert_array_equal(model.kernel[...], before)
    assert exported["kernel"].flags.writeable


def test_pytorch_takes_the_arrays_dtype_and_stays_trainable():
    model = nn.Linear(2, 3)
    torch_end.load(model, {n: a.astype(np.float64) for n, a in torch_end.export(model).items()})
    assert model.weight.dtype == torch.float64
    model(torch.ones(1, 2, dtype=torch.float64)).sum().backward()
    assert model.weight.grad.dtype == torch.float64


def test_flax_takes_the_arrays_dtype_only_with_x64(rngs):
    model = nnx.Linear(2, 3, rngs=rngs)
    arrays = {name: array.astype(np.float64) for name, array in flax_end.export(model).items()}
    with pytest.raises(LoadError, match="enable x64 first"):
        flax_end.load(model, arrays)
    assert model.kernel.dtype == jnp.float32
    with jax.enable_x64(True):
        flax_end.load(model, arrays)
        assert model.kernel.dtype == model.bias.dtype == jnp.float64


def test_a_state_dict_loads_with_its_counters_and_second_names():
    tied = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2), "n": nn.BatchNorm1d(2)})
    tied["b"].weight = tied["a"].weight
    state = {name: t.numpy().copy() for name, t in tied.state_dict().items()}
    state["n.num_batches_tracked"][...] = 5
    torch_end.load(tied, state)
    assert tied["n"].num_batches_tracked == 5
    assert tied["a"].weight is tied["b"].weight
    state["b.weight"] += 1
    with pytest.raises(LoadError, match=r"b\.weight and a\.weight are one tensor"):
        torch_end.load(tied, state)


@pytest.mark.parametrize("side", ["torch", "flax"])
@pytest.mark.parametrize("change", ["missing", "unexpected", "shape"])
def test_arrays_that_do_not_fit_are_refused_and_change_nothing(side, change, rngs):
    end = torch_end if side == "torch" else flax_end
    model = nn.Linear(2, 3) if side == "torch" else nnx.Linear(2, 3, rngs=rngs)
    before = end.export(model)
    arrays = {name: array + 1 for name, array in before.items()}
    if change == "missing":
        del arrays["bias"]
    elif change == "unexpected":
        arrays["scale"] = np.zeros(3)
    else:
        arrays["bias"] = np.zeros(4, np.float32)
    with pytest.raises(LoadError, match="scale" if change == "unexpected" else "bias"):
        end.load(model, arrays)
    for name, array in end.export(model).items():
        np.testing.assert_array_equal(array, before[name])


def test_what_numpy_cannot_hold_is_refused():
    with pytest.raises(LoadError, match=r"weight is bfloat16.*model\.float"):
        torch_end.export(nn.Linear(2, 3).bfloat16())
    with pytest.raises(LoadError, match="weight has no shape yet"):
        torch_end.describe(nn.LazyLinear(3))
