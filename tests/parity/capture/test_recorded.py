"""What a pair's own training records: numbers, or an error that says whose and which."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from parity import PairError
from parity.capture.recorded import record_arrays, recorded_losses


def test_numbers_and_arrays_of_either_framework_are_recorded():
    recorded = {"losses": [2.0, 1.0], "accuracy": 0.5, "right": torch.tensor([1, 2])}
    found = record_arrays(3, recorded, {"loss": jnp.asarray(1.5), "done": True}, "port_training")
    assert {name: array.tolist() for name, array in found.items()} == {
        "trajectory/record/3/accuracy": 0.5,
        "trajectory/record/3/right": [1, 2],
        "trajectory/record/3/test.loss": 1.5,
        "trajectory/record/3/test.done": True,
    }
    np.testing.assert_array_equal(recorded_losses(recorded, "port_training"), [2.0, 1.0])


NO_NUMBERS = ["58 %", None, {"top1": 0.5}, [[1.0], [1.0, 2.0]], torch.ones(1, requires_grad=True)]


@pytest.mark.parametrize("value", NO_NUMBERS, ids=["text", "None", "dict", "ragged", "gradient"])
def test_what_is_no_number_is_refused_by_side_and_key(value: Any):
    with pytest.raises(PairError, match=r"reference_training: epoch: 'accuracy': found"):
        record_arrays(1, {"losses": [], "accuracy": value}, {}, "reference_training")
    with pytest.raises(PairError, match=r"port_training: evaluate: 'accuracy': found"):
        record_arrays(1, {"losses": []}, {"accuracy": value}, "port_training")
    with pytest.raises(PairError, match=r"port_training: epoch: 'losses': found"):
        recorded_losses({"losses": value}, "port_training")


def test_evaluation_without_a_record_is_refused():
    with pytest.raises(PairError, match="port_training: evaluate returned NoneType, expected a"):
        record_arrays(1, {"losses": []}, None, "port_training")  # type: ignore[arg-type]
