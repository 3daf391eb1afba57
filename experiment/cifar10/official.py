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
    url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    size=170_052_171,
    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
)


class MirrorError(DataError):
    """CIFAR10_URL is not a URL that can be downloaded from."""


def source(
    report: Callable[[str], None],
    official: RemoteArchive = ARCHIVE,
    patience: float = PATIENCE_SECONDS,
) -> Source:
    """The official archive as a source; nothing is read or downloaded until it is decoded.

    What was decoded stays in the cache under the archive's checksum, so that neither the archive
    nor the network is needed again. `CIFAR10_URL` names a mirror; the checksum stays official.
    """
    return Source(
        Key("cifar10", "official archive", official.sha256),
        lambda: _read(official, report, patience),
    )


def _read(
    official: RemoteArchive, report: Callable[[str], None], patience: float
) -> tuple[Arrays, str]:
    folder = cache_root() / "archives"
    kept = _kept(official, folder, report)
    if kept is not None:
        return _decode(kept)
    remote = _mirrored(official)
    report(f"downloading {remote.url} ({remote.size / 1e6:.0f} MB)")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        report(f"cache not written: {error}; the download is not kept")
        with tempfile.TemporaryDirectory(prefix="cifar10-") as scratch:
            return _decode(download(remote, Path(scratch), report=report, patience=patience))
    return _decode(download(remote, folder, report=report, patience=patience))


def _decode(path: Path) -> tuple[Arrays, str]:
    members = archive.read_members(path, dict.fromkeys(binary.FILES, binary.MAX_FILE_BYTES))
    return binary.decode(members, str(path)), "binary archive"


def _kept(official: RemoteArchive, folder: Path, report: Callable[[str], None]) -> Path | None:
    """The archive in the cache if it is whole; a damaged one is removed."""
    path = folder / official.name
    if not path.is_file():
        return None
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found == official.sha256:
        return path
    report(f"{path} is damaged (sha256 {found}); it is downloaded again")
    path.unlink()
    return None


def _mirrored(official: RemoteArchive) -> RemoteArchive:
    url = os.environ.get("CIFAR10_URL")
    if not url:
        return official
    if not url.startswith(("http://", "https://")):
        raise MirrorError(
            f"CIFAR10_URL={url}: expected the http:// or https:// address of a copy of "
            f"{official.name}. For a file on this machine use --data FILE."
        )
    return replace(official, url=url)
