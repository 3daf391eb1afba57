"""Files of weights keep their bits; files that are none are refused, and nothing in them runs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from parity.weight_file import WeightFileError, read_weight_file, write_weight_file

WEIGHTS = {"a": torch.randn(40, 30), "b": torch.tensor(2.5)}


def refused(file: Path, *texts: str) -> None:
    with pytest.raises(WeightFileError) as caught:
        read_weight_file(file)
    for text in (str(file), *texts):
        assert text in str(caught.value)


@pytest.mark.parametrize("kind", ["float64", "float16", "bfloat16", "float8_e4m3fn", "int64"])
def test_every_dtype_comes_and_goes(tmp_path: Path, kind: str) -> None:
    dtype = getattr(torch, kind)
    weights = {name: (10 * tensor).to(dtype) for name, tensor in WEIGHTS.items()}
    torch.save(weights, tmp_path / "w.pt")
    arrays = read_weight_file(tmp_path / "w.pt")
    assert {array.dtype.name for array in arrays.values()} == {kind}
    # A transposed view: its bytes must be those of its values in order.
    arrays["a"] = arrays["a"].T
    write_weight_file(tmp_path / "w.safetensors", arrays, {"pair": "x"})
    found = load_file(tmp_path / "w.safetensors")
    assert {tensor.dtype for tensor in found.values()} == {dtype}
    assert torch.equal(found["a"].view(torch.uint8), weights["a"].T.contiguous().view(torch.uint8))
    assert found["b"].shape == ()
    assert found["b"].item() == weights["b"].item()


@pytest.mark.parametrize("name", ["w.safetensors", "w.pt", "w.pth"])
@pytest.mark.parametrize("kept", [0, 5, 1000])
def test_truncated_files(tmp_path: Path, name: str, kept: int) -> None:
    file = tmp_path / name
    (save_file if name == "w.safetensors" else torch.save)(WEIGHTS, file)
    file.write_bytes(file.read_bytes()[:kept])
    refused(file, "cannot be read as")


def test_foreign_files(tmp_path: Path) -> None:
    for name, content, text in [
        ("number.pt", {"state_dict": {"a": 3}}, "found 'a': int"),
        ("list.pt", [1, 2], "found list"),
        ("tensor.pt", torch.ones(2), "found Tensor"),
    ]:
        torch.save(content, tmp_path / name)
        refused(tmp_path / name, "expected a state_dict", text)
    (tmp_path / "w.npz").write_bytes(b"PK")
    refused(tmp_path / "w.npz", "found ending '.npz', expected .safetensors, .pt or .pth")
    (tmp_path / "folder.pt").mkdir()
    refused(tmp_path / "folder.pt", "no file")
    refused(tmp_path / "missing.pt", "no such file")


class Evil:
    """What runs when it is unpickled."""

    def __reduce__(self):
        return Path.touch, (Path("ran"),)


def test_nothing_is_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"a": Evil()}, tmp_path / "evil.pt")
    refused(tmp_path / "evil.pt", "cannot be read as PyTorch weights", "runs what the file says")
    assert not (tmp_path / "ran").exists()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(WeightFileError, match="cannot be written"):
        write_weight_file(tmp_path / "no" / "w.safetensors", {}, {})
