"""Fetches one known archive over HTTP: resumable, bounded in time, verified, atomic."""

import contextlib
import hashlib
import http.client
import os
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from experiment.cifar10.part_file import exclusive
from experiment.cifar10.pictures import DataError
from experiment.cifar10.progress import Progress

PATIENCE_SECONDS = 10.0
"""How long opening the connection may take in all, and how long a transfer may stand still."""
LEAST_SHARE = 1 / 2000
"""What each such span of a transfer must bring at least: 85 kB of CIFAR-10 in ten seconds. Slower,
the download would take more than five hours."""

_PIECE_BYTES = 1 << 16


@dataclass(frozen=True)
class RemoteArchive:
    """An archive on the network, and what it must be."""

    name: str
    """The file's name here, whatever a mirror calls it."""
    url: str
    size: int
    """Bytes."""
    sha256: str


class UnavailableError(DataError):
    """The archive cannot be had at present: no network, no such file there, no room on the disk."""


class ChecksumError(DataError):
    """What was downloaded is not the archive it should be."""


class _ConnectionLost(Exception):  # noqa: N818 - never reaches a user: the transfer is resumed
    pass


def download(
    archive: RemoteArchive,
    folder: Path,
    *,
    report: Callable[[str], None],
    patience: float = PATIENCE_SECONDS,
) -> Path:
    """Downloads `archive` into `folder`; returns the path of the verified file.

    What was received lies in a `.part` file until it is complete and verified. An interrupted
    download of the same URL goes on from there, now (as long as each connection brings something)
    or in a later process.

    Args:
        patience: seconds; see `PATIENCE_SECONDS`.

    Raises:
        UnavailableError: the network, the server or the disk does not let us.
        ChecksumError: the server has something else; the part file is deleted.
    """
    # Named after the URL too: bytes of one mirror are not continued with those of another.
    mark = hashlib.sha256(archive.url.encode()).hexdigest()[:8]
    part = folder / f"{archive.name}.{mark}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with exclusive(part) as file, Progress(archive.name, archive.size, report) as progress:
            try:
                _receive_all(archive, file, progress, patience)
                _verify(archive, file)
            except ChecksumError:
                Path(file.name).unlink(missing_ok=True)
                raise
            os.fsync(file.fileno())
            return Path(file.name).replace(folder / archive.name)
    except OSError as error:
        raise UnavailableError(
            f"{part}: cannot be written ({error}). Make room there, or set CIFAR10_CACHE to a "
            "folder that has it."
        ) from error


def _receive_all(
    archive: RemoteArchive, file: BinaryIO, progress: Progress, patience: float
) -> None:
    while (have := file.seek(0, os.SEEK_END)) < archive.size:
        try:
            _receive(archive, file, progress, patience)
        except _ConnectionLost as error:
            if file.seek(0, os.SEEK_END) <= have:
                raise UnavailableError(
                    f"{archive.url}: the connection broke off after {have:,} of "
                    f"{archive.size:,} bytes ({error}). Run it again to go on from there."
                ) from error


def _receive(archive: RemoteArchive, file: BinaryIO, progress: Progress, patience: float) -> None:
    """One connection: appends to `file` what it brings."""
    with contextlib.closing(_open(archive, file.tell(), patience)) as response:
        _align(archive, file, response)
        progress.at(file.tell())
        span_began, span_from = time.monotonic(), file.tell()
        while piece := _read(response, archive.url, patience):
            file.write(piece)
            progress.at(file.tell())
            if time.monotonic() - span_began > patience:
                if file.tell() - span_from < LEAST_SHARE * archive.size:
                    raise _too_slow(archive.url, file.tell() - span_from, patience)
                span_began, span_from = time.monotonic(), file.tell()
            if file.tell() > archive.size:
                raise _not_the_archive(archive, f"more than {file.tell() - 1:,} bytes")
    file.flush()
    if file.tell() < archive.size:
        raise _ConnectionLost("the server closed it")


def _align(archive: RemoteArchive, file: BinaryIO, response: Any) -> None:
    """Cuts `file` back to where the response begins, and refuses a file of another size."""
    start, total = 0, response.headers.get("Content-Length")
    if response.status == http.HTTPStatus.PARTIAL_CONTENT:
        # "bytes 100-999/1000"
        span, _, total = response.headers.get("Content-Range", "").rpartition("/")
        first = span.removeprefix("bytes ").partition("-")[0]
        start = int(first) if first.isdigit() else -1
    if start not in (0, file.tell()):
        raise _ConnectionLost(f"the server answered with bytes from {start}")
    file.seek(start)
    file.truncate()
    if total is not None and total.isdigit() and int(total) != archive.size:
        raise _not_the_archive(archive, f"{int(total):,} bytes")


def _read(response: Any, url: str, patience: float) -> bytes:
    try:
        return response.read1(_PIECE_BYTES)
    except TimeoutError as error:
        raise UnavailableError(
            f"{url}: the transfer stood still for {patience:g} seconds. Run it again to go on."
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise _ConnectionLost(str(error) or type(error).__name__) from error


def _too_slow(url: str, received: int, patience: float) -> UnavailableError:
    return UnavailableError(
        f"{url}: the transfer is too slow ({received:,} bytes in {patience:g} seconds). "
        "Run it again to go on."
    )


def _open(archive: RemoteArchive, start: int, patience: float) -> Any:
    """Connects, asking for the bytes from `start` on; takes at most `patience` seconds in all.

    urlopen's own timeout does not bound the name look-up, so it runs in a daemon thread that is
    left behind if it takes longer.
    """
    headers = {"User-Agent": "cifar10-parity"} | ({"Range": f"bytes={start}-"} if start else {})
    answer: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def connect() -> None:
        try:
            request = urllib.request.Request(archive.url, headers=headers)
            answer.put(urllib.request.urlopen(request, timeout=patience))
        except Exception as error:
            answer.put(error)

    threading.Thread(target=connect, daemon=True, name="open archive").start()
    try:
        result = answer.get(timeout=patience)
    except queue.Empty:
        result = TimeoutError(f"no answer within {patience:g} seconds")
    if not isinstance(result, Exception):
        return result
    if isinstance(result, urllib.error.HTTPError):
        result.close()
        if result.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and start:
            return _open(archive, 0, patience)
    raise UnavailableError(
        f"{archive.url}: cannot be reached ({getattr(result, 'reason', None) or result})."
    )


def _verify(archive: RemoteArchive, file: BinaryIO) -> None:
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(1 << 20):
        digest.update(piece)
    found = digest.hexdigest()
    if found != archive.sha256:
        raise _not_the_archive(archive, f"sha256 {found}")


def _not_the_archive(archive: RemoteArchive, found: str) -> ChecksumError:
    return ChecksumError(
        f"{archive.url}: this is not {archive.name}: found {found}; expected {archive.size:,} "
        f"bytes, sha256 {archive.sha256}. What was received is deleted. Try again, or name "
        "another mirror in CIFAR10_URL."
    )
