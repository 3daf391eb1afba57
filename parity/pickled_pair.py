"""A pair made while Python runs, as in a test, carried into the frameworks' own processes.

A test's pair holds lambdas and classes of the test function, which no process could import. So
they are pickled by value (cloudpickle). Each side's part is a pickle of its own, unpickled when it
is first called: what the reference's functions import, PyTorch above all, stays out of the port's
process, and the other way round.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle

from experiment.errors import UserError
from parity.pair import Pair, Training
from parity.user_code import described, is_user_file

_SIDES = ("reference", "port")


class PairPickleError(UserError):
    """A pair holds something that cannot be carried into another process."""


def write_pair(path: Path, pair: Pair) -> None:
    """Write a pair for `load_pickled_pair` in another process of this machine.

    Functions and classes of the user's modules go by value where another process, started with
    this one's environment in this one's current directory, would not find the module, or where it
    is a test's: importing that would bring the imports of both sides. Raises `PairPickleError`.
    """
    fields = [field.name for field in dataclasses.fields(pair)]
    parts: dict[str, dict[str, Any]] = {side: {} for side in ("shared", *_SIDES)}
    for name in fields:
        parts[_side(name)][name] = getattr(pair, name)
    content: dict[str, Any] = {"path": sys.path}
    with _by_value(_modules_to_carry()):
        for part, values in parts.items():
            content[part] = _dumped(pair.name, values)
    # What each field is, so that nothing has to be unpickled to know it.
    content["outlines"] = {
        side: {name: _outline(value) for name, value in parts[side].items()} for side in _SIDES
    }
    path.write_bytes(pickle.dumps(content))


def load_pickled_pair(path: Path) -> Pair:
    """Read what `write_pair` wrote.

    Unpickling runs whatever the file says. So this is only for a file that the harness itself
    wrote in its own temporary folder in the same run; the hidden option that leads here is how it
    hands the file to its own processes.
    """
    content = pickle.loads(path.read_bytes())
    # What the pair's functions import when they run, they shall find as in the first process.
    sys.path.extend(entry for entry in content["path"] if entry not in sys.path)
    values = pickle.loads(content["shared"])
    for side in _SIDES:
        load = functools.cache(functools.partial(pickle.loads, content[side]))
        for name, outline in content["outlines"][side].items():
            values[name] = _later(load, name, outline)
    return Pair(**values)


class _Later:
    """A function that is unpickled when it is first called."""

    def __init__(self, find: Callable[[], Callable[..., Any]]) -> None:
        self._find = find

    def __call__(self, *arguments: Any) -> Any:
        return self._find()(*arguments)


def _side(field: str) -> str:
    return next((side for side in _SIDES if field.split("_")[0] == side), "shared")


def _outline(value: Any) -> Any:
    """None, 'function', or the epochs of a Training."""
    if isinstance(value, Training):
        return value.epochs
    return None if value is None else "function"


def _later(load: Callable[[], Mapping[str, Any]], name: str, outline: Any) -> Any:
    if outline is None:
        return None
    if outline == "function":
        return _Later(lambda: load()[name])
    functions = [f.name for f in dataclasses.fields(Training) if f.name != "epochs"]
    later = {f: _Later(functools.partial(_of_training, load, name, f)) for f in functions}
    return Training(**later, epochs=outline)


def _of_training(load: Callable[[], Mapping[str, Any]], name: str, function: str) -> Any:
    return getattr(load()[name], function)


def _dumped(pair: str, values: Mapping[str, Any]) -> bytes:
    problems = []
    for name, value in values.items():
        try:
            cloudpickle.dumps(value)
        except Exception as error:  # whatever an object's own __reduce__ raises
            problems.append(f"{name}: {described(error)}")
    if problems:
        raise PairPickleError(
            f"pair {pair!r} cannot be carried into the frameworks' processes\n  "
            + "\n  ".join(problems)
            + "\nmake what it holds inside the functions, or put the pair into a file of its own"
        )
    return cloudpickle.dumps(values)


@contextmanager
def _by_value(modules: list[ModuleType]) -> Iterator[None]:
    mine = [m for m in modules if m.__name__ not in cloudpickle.list_registry_pickle_by_value()]
    for module in mine:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in mine:
            cloudpickle.unregister_pickle_by_value(module)


def _modules_to_carry() -> list[ModuleType]:
    loaded = [(name, module) for name, module in list(sys.modules.items()) if _is_users(module)]
    users = [module for name, module in loaded if module.__name__ == name != "__main__"]
    found = _found_by_others({module.__name__.partition(".")[0] for module in users})
    return [m for m in users if _is_test(m) or not _is_where_others_look(m, found)]


def _is_users(module: Any) -> bool:
    if not isinstance(module, ModuleType) or module.__name__ == "__mp_main__":
        return False
    file = getattr(module, "__file__", None)  # none: namespace packages, parts of C extensions
    return file is not None and is_user_file(file) and not _is_ours(module)


def _is_ours(module: ModuleType) -> bool:
    return module.__name__.partition(".")[0] == __name__.partition(".")[0]


def _is_test(module: ModuleType) -> bool:
    last = module.__name__.rpartition(".")[2]
    return last == "conftest" or last.startswith("test_") or last.endswith("_test")


def _found_by_others(names: set[str]) -> dict[str, list[str]]:
    """Where a fresh process finds top-level modules: files, or folders of packages."""
    question = (
        "import importlib.util as u, json, sys\n"
        "found = {}\n"
        "for name in json.load(sys.stdin):\n"
        "    try: spec = u.find_spec(name)\n"
        "    except (ImportError, ValueError): spec = None\n"
        "    if spec: found[name] = list(spec.submodule_search_locations or [spec.origin])\n"
        "print(json.dumps(found))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", question],
        input=json.dumps(sorted(names)),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(answer.stdout.splitlines()[-1])


def _is_where_others_look(module: ModuleType, found: Mapping[str, list[str]]) -> bool:
    """Whether the file is the one that a fresh process would import by this name."""
    assert module.__file__ is not None
    first, *rest = module.__name__.split(".")
    places = [Path(place, *rest) for place in found.get(first, [])]
    file = os.path.realpath(module.__file__)
    candidates = [c for p in places for c in (p, p.with_name(p.name + ".py"), p / "__init__.py")]
    return file in {os.path.realpath(candidate) for candidate in candidates}
