"""A right port made of stock NNX layers computes in float64 what PyTorch computes."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

from parity.bridge import flax_end, torch_end
from parity.bridge.declarations import Waiver
from parity.bridge.matching import match
from parity.capture.float64_attention import NOTE, float64_attention
from parity.capture.promotion import promote

TOLERANCE = 1e-12


@pytest.fixture(autouse=True)
def x64():
    """As in the proof lane's process; the models are made in float32 all the same."""
    with jax.enable_x64(True):
        yield


def error(found, expected):
    """Normwise relative error of float64 arrays of one shape."""
    assert found.dtype == expected.dtype == np.float64
    assert found.shape == expected.shape
    return float(np.linalg.norm(found - expected) / (np.linalg.norm(expected) or 1))


def last(x):
    return jnp.moveaxis(x, 1, -1)


@pytest.fixture
def agree(numbers):
    """Outputs and gradients of a promoted port on random weights, against PyTorch in float64."""

    def agree(reference, port, inputs, channels_last=False, call=None, waivers=()):
        reference.double()
        with torch.no_grad():
            for name, tensor in [*reference.named_parameters(), *reference.named_buffers()]:
                if tensor.is_floating_point():
                    tensor.copy_(torch.from_numpy(numbers(*tensor.shape)))
                    if name.endswith("running_var"):
                        tensor.abs_().add_(0.3)
        mapping = match(torch_end.describe(reference), flax_end.describe(port), waivers=waivers)
        waived = {
            # What is waived is 0, as the port's author says.
            name: np.zeros(array.shape)
            for name, array in flax_end.export(port).items()
        }
        sentences = promote(port)
        assert {a.dtype for a in flax_end.export(port).values()} <= {np.dtype("float64")}
        flax_end.load(port, {**waived, **mapping.to_flax(torch_end.export(reference))})

        tensors = [torch.from_numpy(x.copy()) for x in inputs]
        floating = [i for i, x in enumerate(inputs) if x.dtype == np.float64]
        for i in floating:
            tensors[i].requires_grad_()
        expected = reference(*tensors)
        weights = numbers(*expected.shape)
        (expected * torch.from_numpy(weights)).sum().backward()

        def loss(port, *given):
            y = (call or (lambda port, *x: port(*x)))(port, *given)
            return (y * (np.moveaxis(weights, 1, -1) if channels_last else weights)).sum(), y

        given = [last(jnp.array(x)) if channels_last else jnp.array(x) for x in inputs]
        places = (0, *(i + 1 for i in floating))
        gradient = nnx.jit(nnx.grad(loss, argnums=places, has_aux=True))
        (parameters, *of_inputs), y = gradient(port, *given)
        y, *of_inputs = (
            np.asarray(jnp.moveaxis(x, -1, 1) if channels_last else x) for x in (y, *of_inputs)
        )
        errors = {"output": error(y, expected.detach().numpy())}
        for i, found in zip(floating, of_inputs, strict=True):
            errors[f"input {i}"] = error(found, tensors[i].grad.numpy())
        flat = {
            "/".join(map(str, path)): np.asarray(g.get_value())
            for path, g in nnx.to_flat_state(parameters)
        }
        expected_gradients = {n: p.grad.numpy() for n, p in reference.named_parameters()}
        canonical = mapping.gradients_to_canonical(flat)
        assert canonical.keys() == expected_gradients.keys()
        for name, found in canonical.items():
            errors[name] = error(found, expected_gradients[name])
        assert max(errors.values()) <= TOLERANCE, errors
        return sentences

    return agree


class Ours(nn.Module):
    """A layer and what is done with it."""

    def __init__(self, layer, run):
        super().__init__()
        self.layer, self.run = layer, run

    def forward(self, *x):
        return self.run(self.layer, *x)


def test_linear(agree, numbers, rngs):
    sentences = agree(nn.Linear(5, 4), nnx.Linear(5, 4, rngs=rngs), [numbers(3, 5)])
    assert sorted(sentences) == [
        "the model: param_dtype is set to float32; it is float64 here",
        "the model: parameters are made in float32; they are float64 here",
    ]


def test_convolution(agree, numbers, rngs):
    port = nnx.Conv(4, 6, (3, 2), strides=2, padding=1, feature_group_count=2, rngs=rngs)
    reference = nn.Conv2d(4, 6, (3, 2), stride=2, padding=1, groups=2)
    agree(reference, port, [numbers(2, 4, 9, 7)], channels_last=True)


def test_transposed_convolution(agree, numbers, rngs):
    port = nnx.ConvTranspose(
        3, 4, (3, 2), strides=2, padding="VALID", transpose_kernel=True, rngs=rngs
    )
    agree(nn.ConvTranspose2d(3, 4, (3, 2), stride=2), port, [numbers(2, 3, 5, 4)], True)


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm(agree, numbers, rngs, training):
    port = nnx.BatchNorm(3, use_running_average=not training, epsilon=1e-5, rngs=rngs)
    x = numbers(4, 3, 5, 2)
    sentences = agree(nn.BatchNorm2d(3).train(training), port, [x], channels_last=True)
    line = "the model: nnx.BatchNorm keeps float32 running statistics; they are float64 here"
    assert line in sentences


def test_layer_norm(agree, numbers, rngs):
    agree(nn.LayerNorm(6), nnx.LayerNorm(6, epsilon=1e-5, rngs=rngs), [numbers(2, 3, 6)])


def test_group_norm(agree, numbers, rngs):
    port = nnx.GroupNorm(6, num_groups=3, epsilon=1e-5, rngs=rngs)
    agree(nn.GroupNorm(3, 6), port, [numbers(2, 6, 5, 4)], channels_last=True)


def test_instance_norm(agree, numbers, rngs):
    port = nnx.InstanceNorm(4, epsilon=1e-5, rngs=rngs)
    agree(nn.InstanceNorm2d(4, affine=True), port, [numbers(2, 4, 5, 3)], channels_last=True)


def test_rms_norm(agree, numbers, rngs):
    port = nnx.RMSNorm(6, epsilon=1e-5, rngs=rngs)
    agree(nn.RMSNorm(6, eps=1e-5), port, [numbers(2, 3, 6)])


def test_embedding(agree, rngs):
    port = nnx.Embed(7, 3, rngs=rngs)
    sentences = agree(nn.Embedding(7, 3), port, [np.array([[1, 6, 0], [5, 5, 2]])])
    assert "the model: nnx.Embed has dtype float32; it is float64 here" in sentences


def test_prelu_and_dropout(agree, numbers, rngs):
    agree(
        nn.Sequential(nn.PReLU(), nn.Dropout(0.5)).eval(),
        nnx.List([nnx.PReLU(), nnx.Dropout(0.5, deterministic=True, rngs=rngs)]),
        [numbers(2, 3, 5)],
        call=lambda layers, x: layers[1](layers[0](x)),
    )


def test_einsum(numbers, rngs):
    port = nnx.Einsum("ab,bcd->acd", (3, 4, 2), (4, 2), rngs=rngs)
    promote(port)
    x, kernel = numbers(5, 3), numbers(3, 4, 2)
    port.kernel.set_value(jnp.array(kernel))
    found = np.asarray(port(jnp.array(x)))
    assert error(found, np.einsum("ab,bcd->acd", x, kernel)) <= TOLERANCE


@pytest.mark.parametrize("cell", [nnx.LSTMCell, nnx.OptimizedLSTMCell])
def test_lstm_starts_from_a_float64_carry(agree, numbers, rngs, cell):
    reference = Ours(nn.LSTM(3, 4, batch_first=True), lambda lstm, x: lstm(x)[0])
    port = nnx.Dict(layer=nnx.RNN(cell(3, 4, rngs=rngs)))
    x = numbers(2, 5, 3)
    agree(reference, port, [x], call=lambda port, x: port["layer"](x))


def test_gru(agree, numbers, rngs):
    agree(
        Ours(nn.GRU(3, 4, bias=False, batch_first=True), lambda gru, x: gru(x)[0]),
        nnx.Dict(layer=nnx.RNN(nnx.GRUCell(3, 4, rngs=rngs))),
        [numbers(2, 5, 3)],
        call=lambda port, x: port["layer"](x),
        waivers=[Waiver("layer/cell/dense_i/bias", "PyTorch's has none; it is 0")],
    )


ALLOWED = np.random.default_rng(3).random((2, 2, 5, 4)) < 0.6
ALLOWED[..., 0] = True  # a query without any key is NaN in PyTorch


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("options", [{}, {"dropout_rate": 0.3, "deterministic": True}])
def test_attention(agree, numbers, rngs, masked, options):
    mask = torch.from_numpy(~ALLOWED.reshape(4, 5, 4)) if masked else None
    reference = Ours(
        nn.MultiheadAttention(6, 2, batch_first=True),
        lambda layer, q, m: layer(q, m, m, attn_mask=mask, need_weights=False)[0],
    )
    port = nnx.Dict(layer=nnx.MultiHeadAttention(2, 6, decode=False, rngs=rngs, **options))
    allowed = jnp.array(ALLOWED) if masked else None
    with float64_attention() as notes:
        agree(
            reference,
            port,
            [numbers(2, 5, 6), numbers(2, 4, 6)],
            call=lambda port, q, m: port["layer"](q, m, mask=allowed),
        )
    # With dropout NNX takes its own softmax, which has the inputs' dtype.
    assert notes == ([] if options else [NOTE])
