"""Dropout inside NNX's transformations takes the reference's masks too, or is refused by name."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from parity import PairError
from parity.capture.jax_checks import _unseen_dropout
from parity.capture.jax_dropout import dropout_of, shared_dropout
from parity.capture.layout import Layout, layout_of

X = jnp.ones((8, 30))


class Block(nnx.Module):
    """Dropout, run through a transformation."""

    def __init__(self, transform: Any = lambda f: f, calls: int = 1) -> None:
        self.drop = nnx.Dropout(0.5, rngs=nnx.Rngs(1))
        self.transform, self.calls = transform, calls

    def __call__(self, x: Any) -> Any:
        run = self.transform(_run)
        for _ in range(self.calls):
            x = run(self, x)
        return x


def _run(block: Block, x: Any) -> Any:
    return block.drop(x)


def masked(transform: Any, x: Any, step: Any) -> Any:
    block = Block(transform)
    with shared_dropout(block, {"drop": "drop"}, lambda *_: Layout(), step) as copies:
        found = block(x)
    assert not hasattr(block.drop, "_parity_dropout"), "the layer is as it was"
    assert copies == ({} if transform is plain else {"drop": 1})
    return found


def plain(function: Any) -> Any:
    return function


SHARED_JIT, SHARED_REMAT = nnx.jit(_run), nnx.remat(_run)
TRANSFORMS = [nnx.remat, nnx.jit, lambda _: SHARED_REMAT, lambda _: SHARED_JIT]


@pytest.mark.parametrize("transform", TRANSFORMS[2:], ids=["remat", "jit"])
def test_copies_that_a_transformation_makes_take_the_masks(transform: Any) -> None:
    for step in (3, 4):  # a program that was traced for one step is not taken for the next
        expected = masked(plain, X, step)
        np.testing.assert_array_equal(expected == 0, masked(transform, X, step) == 0)


@pytest.mark.slow
@pytest.mark.parametrize("transform", TRANSFORMS, ids=["remat", "jit", "remat once", "jit once"])
def test_copies_take_the_masks_in_compiled_steps_too(transform: Any) -> None:
    compiled = jax.jit(lambda x, step: jax.grad(lambda x: masked(transform, x, step).sum())(x))
    for step in (3, 4):
        wanted = jax.grad(lambda x, step=step: masked(plain, x, step).sum())(X)
        np.testing.assert_allclose(compiled(X, step), wanted, rtol=1e-5, atol=1e-6)


def a_side(calls: int, x: Any = X) -> Any:
    """As much of the port's side as dropout asks for; the reference calls it `calls` times."""
    events = [["enter", "drop", call, ["0"], True] for call in range(calls)]
    shapes = {f"train/enter/drop#{call}/0": list(X.shape) for call in range(calls)}
    pair = SimpleNamespace(name="a", batch_size=8, short_batch_size=3)
    begin = SimpleNamespace(about={"timeline": {"train": events}, "shapes": shapes})
    layout = lambda name, path, shape: layout_of("torch.nn.Dropout", shape, shape)  # noqa: E731
    return SimpleNamespace(
        pair=pair, begin=begin, dropouts={"drop": "drop"}, masked=set(), layout=layout
    )


@contextmanager
def refused(*texts: str) -> Any:
    with pytest.raises(PairError) as caught:
        yield
    for text in texts:
        assert text in str(caught.value)


def test_copies_are_counted_and_named() -> None:
    side, block = a_side(1), Block(nnx.remat)
    with dropout_of(side, block, 0, 0):
        block(X)
    assert side.masked == {"drop"}


def test_program_that_is_traced_once_for_two_calls_is_refused() -> None:
    block = Block(lambda _: SHARED_JIT, calls=2)
    with (
        refused("dropout layer drop runs inside", "traced once, and the reference calls it 2 tim"),
        dropout_of(a_side(2), block, 0, 0),
    ):
        block(X)


def test_part_of_a_batch_is_refused() -> None:
    block = Block(lambda run: nnx.vmap(run, in_axes=(None, 0)))
    with (
        refused("dropout layer drop runs inside", "shape (30,), the reference's (8, 30)"),
        dropout_of(a_side(1), block, 0, 0),
    ):
        block(X)


@pytest.mark.parametrize(
    ("shape", "axes"), [((8, 5, 5), "axes 1 and 2 are"), ((8, 4, 4, 4), "axes 1, 2 and 3 are")]
)
def test_layout_that_cannot_be_told_names_the_equal_axes(shape: Any, axes: str) -> None:
    block = Block()
    with (
        refused(f"dropout drop is given an array of shape {shape}", axes, f"all {shape[1]} long"),
        dropout_of(a_side(1), block, 0, 0),
    ):
        block.drop(jnp.ones(shape))


def test_model_that_draws_numbers_is_told_of_dropout_that_asked_for_no_mask() -> None:
    side = a_side(1)
    side.model = Block()
    assert _unseen_dropout(side).endswith("whose calls could not be seen: drop)")
    with dropout_of(side, side.model, 0, 0):
        side.model(X)
    assert _unseen_dropout(side) == ""
