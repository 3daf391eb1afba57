"""Which layer is which: by path, by renames, by type and shape; shared ones once."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from torch import nn

from parity.bridge import flax_end, torch_end
from parity.bridge.declarations import Waiver
from parity.bridge.errors import LoadError
from parity.bridge.rules import Rule
from parity.layers import Embedding, Linear


class TorchBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.norm = nn.LayerNorm(outputs)

    def forward(self, x):
        return self.norm(self.linear(x))


class FlaxBlock(nnx.Module):
    def __init__(self, inputs, outputs, rngs):
        self.linear = nnx.Linear(inputs, outputs, rngs=rngs)
        self.norm = nnx.LayerNorm(outputs, epsilon=1e-5, rngs=rngs)

    def __call__(self, x):
        return self.norm(self.linear(x))


class TorchNested(nn.Module):
    """Blocks in a list and in a Sequential, one of them twice, and a head."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([TorchBlock(3, 4), TorchBlock(4, 4), TorchBlock(4, 4)])
        self.again = self.blocks[1]
        self.tail = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Sequential(nn.Linear(5, 2)))

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.tail(self.again(x))


class FlaxNested(nnx.Module):
    def __init__(self, rngs, shared=True):
        sizes = ((3, 4), (4, 4), (4, 4))
        self.blocks = nnx.List([FlaxBlock(i, o, rngs) for i, o in sizes])
        self.again = self.blocks[1] if shared else FlaxBlock(4, 4, rngs)
        inner = nnx.Sequential(nnx.Linear(5, 2, rngs=rngs))
        self.tail = nnx.Sequential(nnx.Linear(4, 5, rngs=rngs), nnx.relu, inner)

    def __call__(self, x):
        for block in self.blocks:
            x = block(x)
        return self.tail(self.again(x))


def test_nested_listed_and_shared_modules(prove, numbers, rngs):
    mapping = prove(TorchNested(), FlaxNested(rngs), [numbers(2, 3)])
    assert mapping.modules["tail.2.0"] == "tail/layers/2/layers/0"
    assert mapping.modules["blocks.1.norm"] == "again/norm"  # the first by name, as in nnx.split
    assert len(mapping.modules) == 8
    assert not mapping.by_shape


def test_renames_are_patterns(prove, numbers, rngs):
    class Renamed(nnx.Module):
        def __init__(self):
            self.layer_0 = FlaxBlock(3, 4, rngs)
            self.layer_1 = FlaxBlock(4, 4, rngs)
            self.norms = nnx.Dict(last=nnx.LayerNorm(4, epsilon=1e-5, rngs=rngs))

        def __call__(self, x):
            return self.norms["last"](self.layer_1(self.layer_0(x)))

    reference = nn.Sequential(
        nn.ModuleDict({"inner": nn.Sequential(TorchBlock(3, 4), TorchBlock(4, 4))}), nn.LayerNorm(4)
    )
    reference.forward = lambda x: reference[1](reference[0]["inner"](x))
    renames = {r"layer_(\d+)": r"0/inner/\1", "norms/last": "1"}
    mapping = prove(reference, Renamed(), [numbers(2, 3)], renames=renames)
    assert mapping.modules["0.inner.1.linear"] == "layer_1/linear"


def test_what_has_another_path_is_matched_where_only_one_pairing_fits(pair_up, rngs):
    reference = nn.ModuleDict({"head": nn.Linear(3, 4), "fc": nn.Linear(4, 5)})
    port = nnx.Dict(classifier=nnx.Linear(3, 4, rngs=rngs), fc=nnx.Linear(4, 5, rngs=rngs))
    mapping = pair_up(reference, port)
    assert mapping.modules == {"head": "classifier", "fc": "fc"}
    assert mapping.by_shape == {"head"}
    assert "by type and shape" in mapping.table()


class TorchOwn(nn.Module):
    """A class that the bridge has never seen."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(nn.Linear(4, 4).weight.data)
        self.gain = nn.Parameter(nn.Linear(4, 4).bias.data)
        self.register_buffer("offset", nn.Linear(4, 3).bias.data)


class FlaxOwn(nnx.Module):
    def __init__(self, name="weight", buffer=nnx.BatchStat):
        setattr(self, name, nnx.Param(jnp.zeros((4, 4))))
        self.gain = nnx.Param(jnp.zeros(4))
        self.offset = buffer(jnp.zeros(3))


def test_unknown_classes_with_equal_names_and_shapes(pair_up):
    reference = TorchOwn()
    mapping = pair_up(reference, FlaxOwn())
    canonical = torch_end.export(reference)
    assert mapping.to_flax(canonical).keys() == {"weight", "gain", "offset"}
    np.testing.assert_array_equal(mapping.to_flax(canonical)["weight"], canonical["weight"])


def test_a_rename_may_give_a_tensor_pytorchs_name(pair_up):
    mapping = pair_up(TorchOwn(), FlaxOwn("w"), renames={"w": "weight"})
    assert "w" in mapping.to_flax(torch_end.export(TorchOwn()))


def _swap(arrays, site):
    names = {"weight": "kernel", "kernel": "weight"}
    return {names.get(n, n): a.T if n in names else a for n, a in arrays.items()}


def test_a_rule_that_the_pair_brings(pair_up):
    reference, port = TorchOwn(), FlaxOwn("kernel")
    kinds = (f"{c.__module__}.{c.__qualname__}" for c in (TorchOwn, FlaxOwn))
    mapping = pair_up(reference, port, rules=[Rule(*kinds, _swap, _swap)])
    canonical = torch_end.export(reference)
    arrays = mapping.to_flax(canonical)
    np.testing.assert_array_equal(arrays["kernel"], canonical["weight"].T)
    np.testing.assert_array_equal(mapping.to_canonical(arrays)["weight"], canonical["weight"])


def test_a_class_derived_from_a_known_one_goes_by_its_rule(prove, numbers, rngs):
    class MyLinear(nn.Linear):
        pass

    prove(MyLinear(3, 4), nnx.Linear(3, 4, rngs=rngs), [numbers(2, 3)])


def test_a_waiver_leaves_the_tensor_out_and_is_printed(pair_up, rngs):
    reference, port = nn.Linear(3, 4), nnx.Linear(3, 4, use_bias=False, rngs=rngs)
    mapping = pair_up(reference, port, waivers=[Waiver("bias", "a batch norm follows")])
    assert mapping.to_flax(torch_end.export(reference)).keys() == {"kernel"}
    assert mapping.to_canonical(flax_end.export(port)).keys() == {"weight"}
    assert "waived: bias: a batch norm follows" in mapping.table()


class TorchTied(nn.Module):
    """The head's weight is the embedding's."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(5, 3)
        self.head = nn.Linear(3, 5, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, x):
        return self.head(self.embedding(x))


def test_tied_weights_are_one_tensor(prove, rngs):
    class Tied(nnx.Module):
        def __init__(self):
            self.embedding = nnx.Embed(5, 3, rngs=rngs)
            self.embedding.dtype = jnp.dtype("float64")

        def __call__(self, x):
            return self.embedding.attend(self.embedding(x))

    mapping = prove(TorchTied(), Tied(), [np.array([[1, 4, 0]])])
    assert mapping.modules == {"embedding": "embedding"}


@pytest.mark.parametrize("port_first", ["embedding", "decoder"])
@pytest.mark.parametrize("reference_first", ["embedding", "decoder"])
def test_tied_weights_in_any_order(prove, rngs, reference_first, port_first):
    class Reference(nn.Module):
        def __init__(self):
            super().__init__()
            made = {"embedding": nn.Embedding(5, 3), "decoder": nn.Linear(3, 5)}
            made["decoder"].weight = made["embedding"].weight
            for name in sorted(made, key=lambda name: name != reference_first):
                self.add_module(name, made[name])

        def forward(self, x):
            return self.decoder(self.embedding(x))

    class Port(nnx.Module):
        def __init__(self):
            made = {"embedding": Embedding(5, 3, rngs=rngs), "decoder": Linear(3, 5, rngs=rngs)}
            made["decoder"].weight = made["embedding"].weight
            for name in sorted(made, key=lambda name: name != port_first):
                setattr(self, name, made[name])

        def __call__(self, x):
            return self.decoder(self.embedding(x))

    mapping = prove(Reference(), Port(), [np.array([[1, 4, 0]])])
    own = {"embedding", "decoder"} if reference_first == "embedding" else {"decoder"}
    assert mapping.modules == {name: name for name in own}  # the decoder has a bias of its own


@pytest.mark.parametrize("change", ["missing", "unexpected", "shape"])
def test_arrays_that_do_not_fit_are_refused(pair_up, rngs, change):
    reference = nn.Linear(3, 4)
    mapping = pair_up(reference, nnx.Linear(3, 4, rngs=rngs))
    arrays = torch_end.export(reference)
    if change == "missing":
        del arrays["bias"]
    elif change == "unexpected":
        arrays["scale"] = np.zeros(4)
    else:
        arrays["bias"] = np.zeros(5)
    with pytest.raises(LoadError, match="scale" if change == "unexpected" else "bias"):
        mapping.to_flax(arrays)


def test_the_map_of_parameters_needs_no_buffers(pair_up, rngs):
    """As optimizer slots and gradients have none."""
    reference = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    port = nnx.Sequential(nnx.Linear(3, 4, rngs=rngs), nnx.BatchNorm(4, rngs=rngs))
    mapping = pair_up(reference, port)
    gradients = {n: p.detach().numpy() for n, p in reference.named_parameters()}
    with pytest.raises(LoadError, match="running_mean"):
        mapping.to_flax(gradients)
    there = mapping.parameters().to_flax(gradients)
    back = mapping.gradients_to_canonical(there)
    assert back.keys() == gradients.keys()
    for name, array in gradients.items():
        np.testing.assert_array_equal(back[name], array)
