"""Weights files hold exactly what the network needs, or every fault in them is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch

from experiment.weights import WeightsError, read_weights, weights_digest, write_weights

SHAPES = {"fc.weight": (2, 3), "fc.bias": (2,)}


def arrays() -> dict[str, np.ndarray]:
    return {
        "fc.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
        "fc.bias": np.array([-0.0, 1e-45], np.float32),
    }


def test_round_trip_is_bit_exact(tmp_path: Path) -> None:
    write_weights(tmp_path / "w.safetensors", arrays(), {"epoch": "3"})
    read = read_weights(tmp_path / "w.safetensors", SHAPES)
    for name, array in arrays().items():
        assert read[name].tobytes() == array.tobytes()


def test_transposed_views_are_written_in_their_own_order(tmp_path: Path) -> None:
    view = np.arange(6, dtype=np.float32).reshape(3, 2).T
    write_weights(tmp_path / "w", {"fc.weight": view, "fc.bias": arrays()["fc.bias"]}, {})
    assert np.array_equal(read_weights(tmp_path / "w", SHAPES)["fc.weight"], view)


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    wrong = {
        "fc.weight": np.zeros((3, 2), np.float32),
        "extra": np.zeros(1, np.float32),
    }
    save_file(wrong, tmp_path / "w")
    with pytest.raises(WeightsError) as caught:
        read_weights(tmp_path / "w", SHAPES)
    message = str(caught.value)
    assert "fc.bias: missing" in message
    assert "extra: not in the network" in message
    assert "fc.weight: found shape (3, 2), expected (2, 3)" in message


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_is_named(tmp_path: Path, value: float) -> None:
    wrong = arrays()
    wrong["fc.weight"][1, 2] = value
    save_file(wrong, tmp_path / "w")
    with pytest.raises(WeightsError, match=r"fc\.weight: 1 of 6 values are NaN or Inf"):
        read_weights(tmp_path / "w", SHAPES)


def test_other_precision_is_not_cast_silently(tmp_path: Path) -> None:
    save_file({k: v.astype(np.float16) for k, v in arrays().items()}, tmp_path / "w")
    with pytest.raises(WeightsError, match=r"fc\.bias: found dtype F16, expected F32"):
        read_weights(tmp_path / "w", SHAPES)


def test_dtypes_that_numpy_does_not_know_are_named_tensor_by_tensor(tmp_path: Path) -> None:
    save_torch({name: torch.zeros(shape, dtype=torch.bfloat16) for name, shape in SHAPES.items()},
               tmp_path / "w")  # fmt: skip
    with pytest.raises(WeightsError) as caught:
        read_weights(tmp_path / "w", SHAPES)
    for name in SHAPES:
        assert f"{name}: found dtype BF16, expected F32" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not safetensors at all", b"\x80\x04pickle"])
def test_file_that_is_no_safetensors_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w").write_bytes(content)
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        read_weights(tmp_path / "w", SHAPES)


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(WeightsError, match="cannot be read as weights"):
            read_weights(path, SHAPES)


def test_digest_sees_values_names_and_shapes_but_not_the_order() -> None:
    digest = weights_digest(arrays())
    assert digest == weights_digest(dict(reversed(arrays().items())))
    changed = arrays()
    changed["fc.bias"][0] = 0.0  # from -0.0
    assert digest != weights_digest(changed)
    assert digest != weights_digest({**arrays(), "fc.weight": arrays()["fc.weight"].reshape(3, 2)})
