"""Pairs made inside tests, in the processes of the two frameworks."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
import torch
from flax import nnx

from experiment.errors import EXIT_USER_ERROR
from parity import Pair, Training
from parity.__main__ import main
from parity.pickled_pair import PairPickleError, load_pickled_pair, write_pair

WIDTH = 3


def outputs_of(model: Any) -> int:
    """A function of this module, which another process should not import."""
    return model(WIDTH)


def elsewhere(path: Path, code: str, folder: Path) -> Any:
    """What an expression about `pair` is in a process of its own, and the modules it has then."""
    program = (
        "import json, sys, pathlib\n"
        f"sys.path.append({str(Path(__file__).parents[2])!r})\n"
        "from parity.pickled_pair import load_pickled_pair\n"
        "pair = load_pickled_pair(pathlib.Path(sys.argv[1]))\n"
        f"value = {code}\n"
        "print(json.dumps([value, sorted(sys.modules)]))"
    )
    arguments = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(arguments, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def a_pair(**changes: Any) -> Pair:
    fields = {
        "name": "made_in_a_test",
        "reference": lambda seed: lambda x: x,
        "port": lambda seed: lambda x: x,
        "inputs": lambda generator, n: generator.normal(size=(n, 3)),
    }
    return Pair(**{**fields, **changes})


def test_models_of_a_test_function_come_alive_apart_from_each_other(tmp_path: Path) -> None:
    class Reference(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(WIDTH, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().__getattr__("layer")(x)

    class Port(nnx.Module):
        def __init__(self, rngs: nnx.Rngs) -> None:
            self.layer = nnx.Linear(WIDTH, 2, rngs=rngs)

        def __call__(self, x: Any) -> Any:
            return self.layer(x)

    pair = a_pair(reference=lambda seed: Reference(), port=lambda seed: Port(nnx.Rngs(seed)))
    path = tmp_path / "pair.pickle"
    write_pair(path, pair)

    run = "list(pair.reference(0)(__import__('torch').ones(4, 3)).shape)"
    shape, modules = elsewhere(path, run, tmp_path)
    assert shape == [4, 2]
    assert "jax" not in modules

    run = "list(pair.port(0)(__import__('jax').numpy.ones((4, 3))).shape)"
    shape, modules = elsewhere(path, run, tmp_path)
    assert shape == [4, 2]
    assert "torch" not in modules


def test_loading_a_pair_imports_no_framework(tmp_path: Path) -> None:
    pair = a_pair(port=lambda seed: nnx.Rngs(seed), reference=lambda seed: torch.ones(seed))
    write_pair(tmp_path / "pair.pickle", pair)
    name, modules = elsewhere(tmp_path / "pair.pickle", "pair.name", tmp_path)
    assert name == "made_in_a_test"
    assert not {"torch", "jax", "flax"} & set(modules)


def test_a_tests_module_goes_by_value(tmp_path: Path) -> None:
    write_pair(tmp_path / "pair.pickle", a_pair(reference_loss=outputs_of, port_loss=outputs_of))
    run = "pair.port_loss(lambda width: width + 1)"
    value, modules = elsewhere(tmp_path / "pair.pickle", run, tmp_path)
    assert value == WIDTH + 1
    assert __name__ not in modules


def test_a_module_that_only_this_process_finds_goes_by_value(tmp_path: Path) -> None:
    file = tmp_path / "far" / "away.py"
    file.parent.mkdir()
    file.write_text("STEP = 2\ndef port(seed):\n    return seed + STEP\n")
    spec = importlib.util.spec_from_file_location("parity_tests_away", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "parity_tests_away", module)
        spec.loader.exec_module(module)
        write_pair(tmp_path / "pair.pickle", a_pair(port=module.port))
    assert "parity_tests_away" not in cloudpickle.list_registry_pickle_by_value()
    value, modules = elsewhere(tmp_path / "pair.pickle", "pair.port(40)", tmp_path)
    assert value == 42
    assert "parity_tests_away" not in modules


def test_what_functions_import_later_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "parity_tests_later.py").write_text("VALUE = 42\n")
    monkeypatch.syspath_prepend(tmp_path / "models")

    def port(seed: int) -> int:
        from parity_tests_later import VALUE  # type: ignore[import-not-found]

        return VALUE

    write_pair(tmp_path / "pair.pickle", a_pair(port=port))
    assert elsewhere(tmp_path / "pair.pickle", "pair.port(0)", tmp_path)[0] == 42


def test_everything_declared_comes_back(tmp_path: Path) -> None:
    training = Training(
        batches=lambda epoch: [(epoch, 1)],
        epoch=lambda model, optimizer, epoch: {"losses": [epoch]},
        evaluate=lambda model: {},
        config=lambda: {"rate": 0.5},
        epochs=5,
    )
    pair = a_pair(
        renames={"a": "b"}, batch_size=6, reference_training=training, port_training=training
    )
    write_pair(tmp_path / "pair.pickle", pair)
    found = load_pickled_pair(tmp_path / "pair.pickle")
    assert (found.renames, found.batch_size, found.port_loss) == ({"a": "b"}, 6, None)
    assert found.port_training is not None
    assert found.port_training.epochs == 5
    assert list(found.port_training.batches(2)) == [(2, 1)]
    assert found.port_training.config() == {"rate": 0.5}


def test_what_cannot_be_carried_is_named(tmp_path: Path) -> None:
    lock = threading.Lock()
    with pytest.raises(PairPickleError) as caught:
        write_pair(tmp_path / "pair.pickle", a_pair(port=lambda seed: lock))
    text = str(caught.value)
    assert "port: TypeError: cannot pickle '_thread.lock' object" in text
    assert "reference" not in text.partition("\n")[2].partition("\nmake")[0]
    assert not (tmp_path / "pair.pickle").exists()


@pytest.mark.parametrize(("framework", "lane"), [("jax", "float64"), ("torch", "float32")])
def test_capture_of_a_pickled_pair_needs_its_oracle_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], framework: str, lane: str
) -> None:
    path = tmp_path / "pair.pickle"
    write_pair(path, a_pair())
    argv = ["capture", "--pickled", str(path), "--framework", framework, "--lane", lane]
    assert main([*argv, "--out", str(tmp_path / "out.safetensors")]) == EXIT_USER_ERROR
    said = capsys.readouterr().err
    assert "--oracle FILE" in said
    assert "pickled" in said
