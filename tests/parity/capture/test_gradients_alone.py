"""Gradients of one layer alone, in canonical form."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from flax import nnx

from parity.bridge import flax_end, torch_end
from parity.bridge.matching import match
from parity.bugs.training.entries import SUBJECT
from parity.bugs.training.port import Network, batch_norm
from parity.bugs.training.reference import Network as Reference
from parity.capture.jax_forced import _own_gradients

PORT = Network(nnx.Rngs(0), batch_norm)
BRIDGE = match(torch_end.describe(Reference()), flax_end.describe(PORT), rules=SUBJECT.right.rules)
SIDE = cast(Any, SimpleNamespace(bridge=BRIDGE, job=SimpleNamespace(dtype=np.dtype(np.float32))))


def alone(own: str, path: str) -> dict[str, np.ndarray]:
    """What is made of the port's parameters below a path, as if they were gradients."""

    def below(inner: tuple[Any, ...], value: Any) -> bool:
        return "/".join(map(str, inner)).startswith(f"{path}/")

    return _own_gradients(SIDE, own, path, nnx.state(PORT, nnx.All(nnx.Param, below)))


def test_layer_with_a_rule_of_its_own() -> None:
    found = alone("fc1", "fc1")
    assert list(found) == ["fc1.weight", "fc1.bias"]
    assert (found["fc1.weight"] == np.asarray(PORT.fc1.kernel[...]).T).all()


def test_layer_inside_one_that_has_a_rule_for_all_of_it() -> None:
    found = alone("head.out", "head/out")
    assert sorted(found) == ["head.out.bias", "head.out.weight"]
    assert (found["head.out.weight"] == np.asarray(PORT.head.out.kernel[...]).T).all()


def test_layer_that_has_such_a_rule() -> None:
    assert len(alone("head", "head")) == 4
