"""The official archive: from the local cache, or else from its home on the network."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from experiment.cifar10 import archive, binary
from experiment.cifar10.cache import Key, cache_root
from experiment.cifar10.download import PATIENCE_SECONDS, RemoteArchive, download
from experiment.cifar10.pictures import Arrays, DataError
from experiment.cifar10.sources import Source

ARCHIVE = RemoteArchive(
    name="cifar-10-binary.tar.gz",
    url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    size=170_052_171,
    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
)


class MirrorError(DataError):
    """CIFAR10_URL is not a URL that can be downloaded from."""


def source(report: Callable[[str], None]) -> Source:
    """The official archive as a source; nothing is read or downloaded until it is decoded.

    What was decoded stays in the cache under the archive's checksum, so that neither the archive
    nor the network is needed again. `CIFAR10_URL` names a mirror; the checksum stays official.
    """
    return Source(Key("cifar10", "official archive", ARCHIVE.sha256), lambda: _read(report))


def _read(report: Callable[[str], None]) -> tuple[Arrays, str]:
    folder = cache_root() / "archives"
    if kept := _kept(folder, report):
        return _decode(kept)
    remote = _mirrored()
    report(f"downloading {remote.url} ({remote.size / 1e6:.0f} MB)")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(f"{folder} is read-only")
    except OSError as error:
        report(f"cache not written: {error}; the download is not kept")
        with tempfile.TemporaryDirectory(prefix="cifar10-") as scratch:
            return _decode(_download(remote, Path(scratch), report))
    return _decode(_download(remote, folder, report))


def _download(remote: RemoteArchive, folder: Path, report: Callable[[str], None]) -> Path:
    return download(remote, folder, report=report, patience=PATIENCE_SECONDS)


def _decode(path: Path) -> tuple[Arrays, str]:
    members = archive.read_members(path, dict.fromkeys(binary.FILES, binary.MAX_FILE_BYTES))
    return binary.decode(members, str(path)), "binary archive"


def _kept(folder: Path, report: Callable[[str], None]) -> Path | None:
    """The archive in the cache if it is whole; a damaged one is removed."""
    path = folder / ARCHIVE.name
    if not path.is_file():
        return None
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found == ARCHIVE.sha256:
        return path
    report(f"{path} is damaged (sha256 {found}); it is downloaded again")
    path.unlink()
    return None


def _mirrored() -> RemoteArchive:
    url = os.environ.get("CIFAR10_URL")
    if not url:
        return ARCHIVE
    if not url.startswith(("http://", "https://")):
        raise MirrorError(
            f"CIFAR10_URL={url}: expected the http:// or https:// address of a copy of "
            f"{ARCHIVE.name}. For a file on this machine use --data FILE."
        )
    return replace(ARCHIVE, url=url)
