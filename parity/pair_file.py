"""Finds the pair that a command names: a built-in one, one in a Python file, or in a module."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import parity.pairs
from experiment.errors import UserError
from parity.pair import Pair, PairError
from parity.user_code import described, user_line

_DEFAULT = "PAIR"


class PairFileError(UserError):
    """Base of what can be wrong with the name of a pair."""


class UnknownPairError(PairFileError):
    """No built-in pair, file or module has this name."""


class MissingPairFileError(PairFileError):
    """There is no such file, or it is no Python file."""


class PairImportError(PairFileError):
    """The pair's file or module does not import."""


class NoPairError(PairFileError):
    """The file or module has no such attribute, or it is no `Pair`."""


def load_pair(spec: str) -> Pair:
    """The pair that `spec` names, in one of these forms:

    - `cifar10_cnn`: a module of `parity.pairs`;
    - `my_pair.py`, `my_pair.py:OTHER`: a Python file, and the attribute, PAIR if none is given;
    - `package.module:ATTRIBUTE`: a module, to be found from the current directory too.

    The file's folder (for a module the current directory) goes to the front of `sys.path` and stays
    there: what the pair's functions import, they import later. Nothing is ever unpickled.

    Raises a `PairFileError`; `PairError` where the pair itself is wrong.
    """
    if spec in built_in_pairs():
        return _pair_of(spec, f"{parity.pairs.__name__}.{spec}", _DEFAULT)
    target, colon, attribute = spec.rpartition(":")
    if not colon or not attribute.isidentifier():  # the colon of a drive, as in C:\my_pair.py
        target, attribute = spec, ""
    if not target.endswith(".py") and not Path(target).exists():
        if attribute and all(part.isidentifier() for part in target.split(".")):
            _put_first(Path.cwd())
            return _pair_of(spec, target, attribute)
        raise UnknownPairError(_unknown(spec))
    path = Path(target).resolve()
    if not path.is_file() or path.suffix != ".py":
        found = "no Python file (.py)" if path.exists() else "no such file"
        raise MissingPairFileError(
            f"{target}: {found}; expected a Python file with a parity.Pair called "
            f"{attribute or _DEFAULT}"
        )
    _put_first(path.parent)
    module = _imported(target, lambda: _execute(path))
    return _attribute(module, target, attribute or _DEFAULT)


def built_in_pairs() -> list[str]:
    """The names of the pairs that come with the harness."""
    return sorted(module.name for module in pkgutil.iter_modules(parity.pairs.__path__))


def _pair_of(spec: str, module: str, attribute: str) -> Pair:
    return _attribute(_imported(spec, lambda: importlib.import_module(module)), module, attribute)


def _execute(path: Path) -> ModuleType:
    """Run a file as a module of a name that no other file has: `my_pair` may be a module too."""
    name = f"parity_pair_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look their module up there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _imported(what: str, load: Callable[[], ModuleType]) -> ModuleType:
    try:
        return load()
    except SyntaxError as error:
        where = f"{error.filename}:{error.lineno}" if error.lineno else error.filename or what
        line = f"\n    {error.text.strip()}" if error.text else ""
        kind = type(error).__name__
        raise PairImportError(
            f"{what}: is not Python: {kind}: {error.msg}\n  at {where}{line}"
        ) from error
    except PairError as error:
        where = user_line(error)
        raise PairError(f"{what}: {error}" + (f"\n  at {where}" if where else "")) from error
    except (Exception, SystemExit) as error:
        where = user_line(error)
        raise PairImportError(
            f"{what}: does not import: {described(error)}" + (f"\n  at {where}" if where else "")
        ) from error


def _attribute(module: ModuleType, target: str, attribute: str) -> Pair:
    value = getattr(module, attribute, None)
    if isinstance(value, Pair):
        return value
    others = sorted(name for name, other in vars(module).items() if isinstance(other, Pair))
    found = f"it is {type(value).__name__}" if hasattr(module, attribute) else "there is none"
    advice = (
        "say one of those that there are: " + ", ".join(f"{target}:{name}" for name in others)
        if others
        else f"write {attribute} = parity.Pair(name=..., reference=..., port=..., inputs=...)"
    )
    raise NoPairError(f"{target}: expected a parity.Pair called {attribute}, {found}; {advice}")


def _put_first(folder: Path) -> None:
    entry = str(folder)
    if sys.path[:1] != [entry]:
        sys.path.insert(0, entry)


def _unknown(spec: str) -> str:
    if Path(f"{spec}.py").is_file():
        advice = f"to take the file, say {spec}.py"
    else:
        advice = "expected one of these, a Python file (my_pair.py) or module:ATTRIBUTE"
    return f"{spec!r} is no pair; built in: {', '.join(built_in_pairs()) or 'none'}; {advice}"
