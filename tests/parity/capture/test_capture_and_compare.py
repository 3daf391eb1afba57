"""Captures on their own, and what is said of captures that do not belong together."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from parity.capture.capture_file import Capture, read_capture, write_capture


def compare(forked: Any, folder: Path, *arguments: object, code: int, texts: tuple = ()) -> str:
    done = forked(folder, "compare", *arguments)
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert "Traceback" not in said
    for text in texts:
        assert text in said, said
    return said


def rewritten(source: Path, target: Path, change: Callable[[dict, dict], None]) -> Path:
    """A copy of a capture with a changed header and changed arrays."""
    capture: Capture = read_capture(source)
    about, arrays = dict(capture.about), dict(capture.arrays)
    change(about, arrays)
    schema = about.pop("schema")
    write_capture(target, about, arrays)
    if schema != 1:
        target.write_bytes(target.read_bytes().replace(b'\\"schema\\": 1', b'\\"schema\\": 9'))
    return target


def test_right_port_in_float64(forked, captures, tmp_path):
    out = tmp_path / "verdict.json"
    compare(forked, tmp_path, captures("torch"), captures("jax"), "--out", out, code=0)
    verdict = json.loads(out.read_text())
    assert verdict["passed"] is True
    assert verdict["exit_code"] == 0
    assert all(check["passed"] for check in verdict["checks"])


@pytest.mark.slow
def test_right_port_in_float32_needs_the_oracle(forked, captures, tmp_path):
    both = captures("torch", "float32"), captures("jax", "float32")
    compare(forked, tmp_path, *both, "--oracle", captures("torch"), code=0)
    compare(forked, tmp_path, *both, code=2, texts=("without an oracle", "--oracle FILE"))


@pytest.mark.slow
def test_changed_port_departs_and_the_layer_is_named(forked, captures, pair_file, tmp_path):
    pair = pair_file(
        tmp_path, "PAIR = changed(port=lambda seed: make_port(seed, lambda net, x: x * 1.001))"
    )
    out = tmp_path / "jax.safetensors"
    argv = ["--framework", "jax", "--lane", "float64", "--oracle", captures("torch"), "--out", out]
    assert forked(tmp_path, "capture", pair, *argv).returncode == 0
    said = compare(forked, tmp_path, captures("torch"), out, code=1)
    assert "First departure: forward, float64" in said
    assert "last" in said.partition("First departure")[2]


@pytest.mark.slow
def test_oracle_is_made_where_none_is_given(forked, captures, pair_file, tmp_path):
    argv = ["capture", pair_file(tmp_path), "--framework", "torch", "--lane", "float32"]
    done = forked(tmp_path, *argv, "--out", tmp_path / "torch.safetensors")
    assert done.returncode == 0, done.stderr
    made = read_capture(tmp_path / "torch.oracle.safetensors")
    assert made.about["lane"] == "float64"
    assert made.about["start"] == read_capture(captures("torch")).about["start"]


def test_sides_swapped(forked, captures, tmp_path):
    texts = ("side: found 'port', expected 'reference'", str(captures("jax")))
    compare(forked, tmp_path, captures("jax"), captures("torch"), code=2, texts=texts)


def test_missing_file(forked, captures, tmp_path):
    texts = ("none.safetensors", "no such file")
    compare(forked, tmp_path, captures("torch"), "none.safetensors", code=2, texts=texts)


def test_truncated_file(forked, captures, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(captures("jax").read_bytes()[:-1000])
    compare(forked, tmp_path, captures("torch"), broken, code=2, texts=(str(broken),))


@pytest.mark.parametrize("content", [b"", b"no safetensors at all", b"\xff" * 64])
def test_file_of_another_kind(forked, captures, tmp_path, content):
    other = tmp_path / "other.safetensors"
    other.write_bytes(content)
    compare(forked, tmp_path, captures("torch"), other, code=2, texts=(str(other),))


def test_safetensors_that_are_no_capture(forked, captures, tmp_path):
    other = tmp_path / "weights.safetensors"
    save_file({"a": np.ones(3)}, other)
    texts = (str(other), "no capture of parity")
    compare(forked, tmp_path, captures("torch"), other, code=2, texts=texts)


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("pair", "other", "pair: found 'other', expected 'small'"),
        ("seed", 5, "seed: found 5, expected 0"),
        ("nonce", "abc", "nonce: found 'abc', expected ''"),
        ("schema", 9, "schema version 9, this version reads 1"),
        ("lane", "float32", "lane: found 'float32', expected 'float64'"),
        ("start", "0" * 64, "start differs"),
    ],
)
def test_captures_of_different_runs(forked, captures, tmp_path, key, value, text):
    def change(about, arrays):
        about[key] = value

    other = rewritten(captures("jax"), tmp_path / "other.safetensors", change)
    compare(forked, tmp_path, captures("torch"), other, code=2, texts=(text, str(other)))


def test_reference_that_is_no_number(forked, captures, tmp_path):
    def change(about, arrays):
        arrays["eval/output/0"] = np.array(arrays["eval/output/0"])
        arrays["eval/output/0"][1, 2] = np.nan

    other = rewritten(captures("torch"), tmp_path / "other.safetensors", change)
    texts = ("eval/output/0: nan at (1, 2)", "the reference itself is no number", "choose inputs")
    compare(forked, tmp_path, other, captures("jax"), code=2, texts=texts)


def test_port_that_is_no_number_departs(forked, captures, tmp_path):
    def change(about, arrays):
        arrays["eval/output/0"] = np.full_like(arrays["eval/output/0"], np.nan)

    other = rewritten(captures("jax"), tmp_path / "other.safetensors", change)
    compare(forked, tmp_path, captures("torch"), other, code=1)


def test_unknown_stage(forked, captures, tmp_path):
    both = captures("torch"), captures("jax")
    texts = ("'backward'", "gradient")
    compare(forked, tmp_path, *both, "--stages", "forward,backward", code=2, texts=texts)


def test_error_takes_the_place_of_an_earlier_verdict(forked, captures, tmp_path):
    out = tmp_path / "verdict.json"
    out.write_text('{"passed": true}')
    compare(forked, tmp_path, captures("torch"), "none.safetensors", "--out", out, code=2)
    verdict = json.loads(out.read_text())
    assert (verdict["passed"], verdict["exit_code"]) == (False, 2)
    assert "none.safetensors" in verdict["error"]


def test_the_folder_of_the_verdict_is_made(forked, captures, tmp_path):
    out = tmp_path / "new" / "too" / "verdict.json"
    compare(forked, tmp_path, captures("torch"), captures("jax"), "--out", out, code=0)
    assert json.loads(out.read_text())["exit_code"] == 0


def test_folder_that_the_verdict_cannot_go_to(forked, captures, tmp_path):
    in_the_way = tmp_path / "a file"
    in_the_way.write_text("kept")
    argv = (captures("torch"), captures("jax"), "--out", in_the_way / "new" / "verdict.json")
    compare(forked, tmp_path, *argv, code=2, texts=("Not a directory", str(in_the_way)))
    assert in_the_way.read_text() == "kept"


def test_oracle_of_another_pair(forked, captures, pair_file, tmp_path):
    pair = pair_file(tmp_path, "PAIR = changed(name='another')")
    argv = ["--framework", "jax", "--lane", "float64", "--oracle", captures("torch")]
    done = forked(tmp_path, "capture", pair, *argv, "--out", tmp_path / "jax.safetensors")
    assert done.returncode == 2
    assert "pair: found 'small', expected 'another'" in done.stderr
    assert not (tmp_path / "jax.safetensors").exists()
