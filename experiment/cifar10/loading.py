"""`load`: from the value of `--data` to the arrays, whatever the source, through the cache."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from experiment.cifar10 import cache, official, sources
from experiment.cifar10.binary import is_official
from experiment.cifar10.cache import Entry, Facts
from experiment.cifar10.download import UnavailableError
from experiment.cifar10.pictures import Cifar10, DataError, fingerprint_of
from experiment.cifar10.sources import Source

NOTICE = "SYNTHETIC STAND-IN DATA, not CIFAR-10: these accuracies say nothing about CIFAR-10."

_ADVICE = (
    "For the real pictures, connect to the network and run again, or give --data PATH, or set "
    "CIFAR10_DIR to where they are, or CIFAR10_URL to a mirror."
)


def _to_stderr(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def load(spec: str = "auto", *, report: Callable[[str], None] = _to_stderr) -> Cifar10:
    """CIFAR-10 as four arrays, the same whatever the source; memory-mapped where possible.

    Args:
        spec: a path (a folder or tar archive in the official binary or python layout, or a folder
            prepared by tensorflow-datasets), or one of the words

            - `cifar10`: the official archive, from the local cache or else downloaded;
            - `synthetic`: the built-in stand-in;
            - `auto`: `$CIFAR10_DIR` if it is set, else `cifar10`, else, if that cannot be had
              within about ten seconds, `synthetic` with a notice that says why.
        report: takes one-line messages for the screen.

    Raises:
        DataError: one of its subclasses, says what is wrong with the data and what to do.
    """
    if spec == "auto":
        return _auto(report)
    if spec == "synthetic":
        return _stand_in(NOTICE, report)
    if spec == "cifar10":
        return _official(report)
    return _load_path(spec, report)


def _auto(report: Callable[[str], None]) -> Cifar10:
    if chosen := os.environ.get("CIFAR10_DIR"):
        try:
            return _load_path(chosen, report)
        except DataError as error:
            raise type(error)(f"CIFAR10_DIR is set: {error}") from error
    try:
        return _official(report)
    except UnavailableError as error:
        return _stand_in(f"{NOTICE}\nCIFAR-10 could not be had: {error}", report)


def _official(report: Callable[[str], None]) -> Cifar10:
    try:
        return _result(official.source(report), "cifar10", official.ARCHIVE.name, report)
    except UnavailableError as error:
        raise UnavailableError(f"{error}\n{_ADVICE}") from error


def _stand_in(notice: str, report: Callable[[str], None]) -> Cifar10:
    return _result(sources.stand_in(), "synthetic", "built in", report, notice)


def _load_path(path: str, report: Callable[[str], None]) -> Cifar10:
    if not path.strip():  # Path("") would mean the working folder
        raise sources.DataPathError("--data is empty. Give a path, auto, cifar10 or synthetic.")
    source = sources.at_path(Path(path))
    return _result(source, source.key.place, source.key.place, report)


def _result(
    source: Source,
    spec: str,
    place: str,
    report: Callable[[str], None],
    notice: str | None = None,
) -> Cifar10:
    entry = cache.find(source.key, report) or _decode(source, report)
    adjective = "official " if entry.facts.official else ""
    return Cifar10(
        **entry.arrays.named(),
        spec=spec,
        source=f"{adjective}{entry.facts.form}, {place}",
        fingerprint=entry.facts.fingerprint,
        official=entry.facts.official,
        synthetic=notice is not None,
        notice=notice,
    )


def _decode(source: Source, report: Callable[[str], None]) -> Entry:
    try:
        arrays, form = source.read()
    except OSError as error:
        raise sources.DataPathError(
            f"{source.key.place}: cannot be read ({error}). Check that it is complete and "
            "readable, then try again."
        ) from error
    facts = Facts(form, fingerprint_of(arrays), is_official(arrays))
    return cache.store(source.key, Entry(arrays, facts), report)
