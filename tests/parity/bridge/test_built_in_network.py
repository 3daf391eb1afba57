"""The CIFAR-10 network goes across as its own conversion, written by hand, says."""

from __future__ import annotations

import numpy as np

import jax_impl.model
import torch_ref.model
from experiment.recipe import Recipe
from parity.bridge import flax_end, torch_end
from parity.bridge.matching import match


def test_the_bridge_and_the_networks_own_conversion_agree():
    reference, port = torch_ref.model.Cnn(Recipe()), jax_impl.model.Cnn(Recipe(seed=1))
    mapping = match(torch_end.describe(reference), flax_end.describe(port))
    canonical = torch_end.export(reference)
    arrays = mapping.to_flax(canonical)
    jax_impl.model.load_canonical(port, canonical)
    assert flax_end.export(port).keys() == arrays.keys()
    for name, array in flax_end.export(port).items():
        np.testing.assert_array_equal(arrays[name], array)
    for name, array in jax_impl.model.to_canonical(port).items():
        np.testing.assert_array_equal(mapping.to_canonical(arrays)[name], array)
