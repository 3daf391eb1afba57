"""How a command's PAIR is found, and what is said when it cannot be."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from parity import PairError
from parity.pair_file import (
    MissingPairFileError,
    NoPairError,
    PairImportError,
    UnknownPairError,
    built_in_pairs,
    load_pair,
)
from parity.user_code import call

PAIR = """
from parity import Pair

def reference(seed):
    raise LookupError("no weights")

def make(name):
    return Pair(name=name, reference=reference, port=lambda seed: seed,
                inputs=lambda generator, n: generator.normal(size=(n, 2)))
"""


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Loading a pair changes `sys.path` and `sys.modules`: that is what it is for."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with one good pair file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.py").write_text(PAIR + "PAIR, OTHER = make('a'), make('b')\n")
    return tmp_path


def refused(spec: str, error: type[Exception], *texts: str) -> None:
    with pytest.raises(error) as caught:
        load_pair(spec)
    for text in texts:
        assert text in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("good.py", "a"),
        ("good.py:PAIR", "a"),
        ("good.py:OTHER", "b"),
        ("./good.py:OTHER", "b"),
        ("good:OTHER", "b"),
    ],
)
def test_files_and_modules(folder: Path, spec: str, name: str) -> None:
    assert load_pair(spec).name == name


def test_absolute_path_from_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert load_pair(f"{folder / 'good.py'}:OTHER").name == "b"


def test_siblings_are_imported_and_lazily_too(folder: Path) -> None:
    sub = folder / "sub"
    sub.mkdir()
    (sub / "sibling_now.py").write_text(PAIR)
    (sub / "sibling_later.py").write_text("VALUE = 17\n")
    (sub / "mine.py").write_text(
        "import dataclasses\n"
        "from sibling_now import make\n"
        "def port(seed):\n    from sibling_later import VALUE\n    return VALUE\n"
        "PAIR = dataclasses.replace(make('a'), port=port)\n"
    )
    assert load_pair("sub/mine.py").port(0) == 17


def test_a_file_may_be_called_as_an_installed_module(folder: Path) -> None:
    (folder / "numpy_pair.py").write_text(PAIR + "PAIR = make('mine')\n")
    (folder / "json.py").write_text(PAIR + "PAIR = make('mine')\n")
    assert load_pair("json.py").name == "mine"
    import json

    assert json.loads("[1]") == [1]


def test_a_changed_file_is_read_again(folder: Path) -> None:
    assert load_pair("good.py").name == "a"
    (folder / "good.py").write_text(PAIR + "PAIR = make('a longer name')\n")
    assert load_pair("good.py").name == "a longer name"


def test_unknown_names_list_what_there_is(folder: Path) -> None:
    refused("nothing", UnknownPairError, "'nothing' is no pair", *built_in_pairs(), "my_pair.py")
    refused("good", UnknownPairError, "say good.py")
    refused("no such thing:PAIR", UnknownPairError, "'no such thing:PAIR' is no pair")


def test_missing_files(folder: Path) -> None:
    refused("nothing.py", MissingPairFileError, "nothing.py: no such file", "PAIR")
    refused("nothing.py:OTHER", MissingPairFileError, "called OTHER")
    (folder / "folder.py").mkdir()
    refused("folder.py", MissingPairFileError, "no Python file")


def test_a_pickle_is_never_opened(folder: Path) -> None:
    (folder / "evil.pickle").write_bytes(b"cos\nsystem\n(S'touch ran'\ntR.")
    refused("evil.pickle", MissingPairFileError, "no Python file")
    assert not (folder / "ran").exists()


def test_import_error_names_the_innermost_line_of_the_user(folder: Path) -> None:
    (folder / "inner.py").write_text("import json\n\ndef f():\n    json.loads('nonsense')\n")
    (folder / "outer.py").write_text("import inner\ninner.f()\n")
    line = f"at {folder / 'inner.py'}:4, in f\n    json.loads('nonsense')"
    refused("outer.py", PairImportError, "outer.py: does not import", "JSONDecodeError", line)
    refused("outer:PAIR", PairImportError, "outer:PAIR: does not import", line)


def test_missing_modules(folder: Path) -> None:
    (folder / "a.py").write_text("\nimport no_such_module\n")
    refused("a.py", PairImportError, "No module named 'no_such_module'", f"{folder / 'a.py'}:2")
    refused("no_such_module:PAIR", PairImportError, "No module named 'no_such_module'")


def test_leaving_python_is_no_way_out(folder: Path) -> None:
    (folder / "leaves.py").write_text("raise SystemExit(0)\n")
    refused("leaves.py", PairImportError, "SystemExit: 0", f"{folder / 'leaves.py'}:1")


def test_syntax_errors(folder: Path) -> None:
    (folder / "broken.py").write_text("x = 1\ny = = 2\n")
    (folder / "outer.py").write_text("import broken\n")
    for spec in ("broken.py", "outer.py"):
        line = f"at {folder / 'broken.py'}:2\n    y = = 2"
        refused(
            spec, PairImportError, f"{spec}: is not Python", "SyntaxError: invalid syntax", line
        )


def test_bytes_that_are_no_text(folder: Path) -> None:
    (folder / "binary.py").write_bytes(b"x = '\xff\xfe'\n")
    refused("binary.py", PairImportError, "binary.py: is not Python", "binary.py")


def test_no_pair_lists_those_that_there_are(folder: Path) -> None:
    refused("good.py:THIRD", NoPairError, "there is none", "good.py:OTHER, good.py:PAIR")
    (folder / "none.py").write_text("PAIR = 3\n")
    refused("none.py", NoPairError, "it is int", "write PAIR = parity.Pair(")


def test_a_wrong_pair_is_told_with_its_line(folder: Path) -> None:
    (folder / "wrong.py").write_text(PAIR + "PAIR = make('')\n")
    refused("wrong.py", PairError, "wrong.py: ", "name: found ''", f"{folder / 'wrong.py'}")


def test_what_the_pair_calls_is_told_with_role_and_line(folder: Path) -> None:
    pair = load_pair("good.py")
    with pytest.raises(PairError) as caught:
        call(pair, "reference", pair.reference, 0)
    text = str(caught.value)
    assert "pair 'a': reference failed: LookupError: no weights" in text
    assert f'{folder / "good.py"}:5, in reference\n    raise LookupError("no weights")' in text
    assert isinstance(caught.value.__cause__, LookupError)


def test_a_function_that_cannot_be_called_is_told_with_its_definition(folder: Path) -> None:
    pair = load_pair("good.py")
    with pytest.raises(PairError, match=r"inputs failed: TypeError.* missing 1") as caught:
        call(pair, "inputs", pair.inputs, 3)
    assert f"{folder / 'good.py'}{os.sep}"[:-1] + ":9" in str(caught.value)


def test_call_returns_and_lets_our_own_errors_pass(folder: Path) -> None:
    pair = load_pair("good.py")
    assert call(pair, "port", pair.port, 5) == 5

    def fails() -> None:
        raise UnknownPairError("as it is")

    with pytest.raises(UnknownPairError, match=r"^as it is$"):
        call(pair, "port", fails)
