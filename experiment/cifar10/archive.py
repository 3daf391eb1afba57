"""Reads the batches out of a tar or tar.gz without unpacking it to disk.

An archive is somebody else's program for our file system, so it is held to what CIFAR-10 needs:
members stay inside the archive's own folder, are plain files and folders, and the whole of it is
no larger than a bound. An archive that breaks one rule is refused as a whole.
"""

import gzip
import io
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO, cast

from experiment.cifar10.pictures import DataError

MAX_UNPACKED_BYTES = 512 * 1024 * 1024
"""Bound on the unpacked archive; the official ones are 184,380,000 bytes and a little."""

MAX_MEMBERS = 1_000
_GZIP_MAGIC = b"\x1f\x8b"


class CorruptArchiveError(DataError):
    """The file is not a tar archive, or it is cut off or damaged."""


class UnsafeArchiveError(DataError):
    """A member points outside the archive, is a link or device, or is far too large."""


def read_members(path: Path, wanted: Mapping[str, int]) -> dict[str, bytes]:
    """Contents of the members of `path` whose base name is in `wanted`.

    Args:
        path: a tar archive, plain or gzipped; recognised by content, not by name.
        wanted: base name -> the most bytes such a member may have.

    Returns:
        base name -> content, for those of `wanted` that the archive holds.

    Raises:
        CorruptArchiveError, UnsafeArchiveError: see there.
    """
    try:
        with path.open("rb") as raw:
            gzipped = raw.read(2) == _GZIP_MAGIC
            raw.seek(0)
            unpacked = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if gzipped else raw
            stream = _Bounded(unpacked, path)
            found = _scan(stream, path, wanted)
            stream.drain()  # only at the end of the stream does gzip check its checksum
            return found
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        # ValueError (OverflowError too): tarfile does not check the numbers in extended headers.
        raise CorruptArchiveError(
            f"{path}: not a complete tar or tar.gz archive ({error}). Expected CIFAR-10's binary "
            "or python archive; download it again."
        ) from error


def _scan(stream: "_Bounded", path: Path, wanted: Mapping[str, int]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    # "r|": strictly forwards, so that a gzipped archive is unpacked once.
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for count, member in enumerate(tar):
            _check_member(member, count, path)
            name = PurePosixPath(member.name).name
            if not member.isreg() or name not in wanted:
                continue
            if name in found:
                raise UnsafeArchiveError(
                    f"{path}: holds two files called {name}; which is meant cannot be told. "
                    "Expected each batch once; download the archive again."
                )
            if member.size > wanted[name]:
                raise UnsafeArchiveError(
                    f"{path}: {member.name} is oversized: {member.size:,} bytes, at most "
                    f"{wanted[name]:,} expected. Download the archive again."
                )
            content = tar.extractfile(member)
            assert content is not None  # it is a regular file
            found[name] = content.read()
    return found


def _check_member(member: tarfile.TarInfo, count: int, path: Path) -> None:
    if fault := _fault(member):
        raise UnsafeArchiveError(
            f"{path}: member {member.name!r} {fault}; nothing of the archive was used. Expected "
            "plain files and folders only; download the archive from its official place."
        )
    if count >= MAX_MEMBERS:
        raise UnsafeArchiveError(
            f"{path}: more than {MAX_MEMBERS:,} members; CIFAR-10's archives hold 9. "
            "Give the archive as it was published."
        )


def _fault(member: tarfile.TarInfo) -> str | None:
    # Windows' reading of the name too: "..\\x" and "C:/x" are harmless only elsewhere.
    for name in (PurePosixPath(member.name), PureWindowsPath(member.name)):
        if name.is_absolute() or name.drive or name.root:
            return "has an absolute path"
        if ".." in name.parts:
            return "points outside the archive"
    if member.issym() or member.islnk():
        return f"is a link to {member.linkname!r}"
    if member.issparse():
        return "is a sparse file"
    if not (member.isreg() or member.isdir()):
        return "is a device or another special file"
    return None


class _Bounded(io.RawIOBase):
    """A stream that refuses to deliver more than `MAX_UNPACKED_BYTES`: no bomb gets through."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream = stream
        self._path = path
        self._left = MAX_UNPACKED_BYTES

    def read(self, size: int = -1) -> bytes:
        limit = self._left + 1 if size < 0 else min(size, self._left + 1)
        data = self._stream.read(limit)
        self._left -= len(data)
        if self._left < 0:
            raise UnsafeArchiveError(
                f"{self._path}: unpacks to more than {MAX_UNPACKED_BYTES:,} bytes; CIFAR-10 has "
                "about 184 million. Give the archive as it was published."
            )
        return data

    def drain(self) -> None:
        """Reads what is left, so that errors at the very end are found."""
        while self.read(1 << 20):
            pass
