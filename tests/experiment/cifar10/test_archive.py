import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from experiment.cifar10 import (
    Arrays,
    CorruptArchiveError,
    MissingFileError,
    UnsafeArchiveError,
    archive,
    load,
)
from experiment.cifar10.pictures import fingerprint_of

Members = dict[str, bytes]


@pytest.fixture
def tar_with(tmp_path: Path, binary_members: Members) -> Callable[[tarfile.TarInfo], Path]:
    """A complete archive with one more member."""

    def write(member: tarfile.TarInfo) -> Path:
        path = tmp_path / "strange.tar"
        with tarfile.open(path, "w") as tar:
            for name, content in binary_members.items():
                plain = tarfile.TarInfo(name)
                plain.size = len(content)
                tar.addfile(plain, io.BytesIO(content))
            tar.addfile(member)
        return path

    return write


@pytest.mark.parametrize("name", ["a.tar.gz", "a.tgz", "a.tar", "no-suffix-and-gz"])
def test_an_archive_is_recognised_by_its_content(
    tmp_path: Path, binary_members: Members, write_tar: Callable, expected: Arrays, name: str
):
    path = write_tar(tmp_path / name, {f"./x/{n}": data for n, data in binary_members.items()})
    data = load(str(path))
    assert data.fingerprint == fingerprint_of(expected)
    assert data.source == f"binary archive, {path}"


def test_files_beside_the_batches_do_not_matter(
    tmp_path: Path, binary_members: Members, write_tar: Callable
):
    path = write_tar(tmp_path / "a.tar", {"x/readme.html": b"hello", **binary_members})
    assert len(load(str(path)).test_labels) == 3


@pytest.mark.parametrize("name", ["../evil", "x/../../evil", "/etc/evil", "..\\evil", "C:/evil"])
def test_a_member_that_points_outside_is_refused(tar_with: Callable, name: str):
    with pytest.raises(UnsafeArchiveError, match="evil"):
        load(str(tar_with(tarfile.TarInfo(name))))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (tarfile.SYMTYPE, "is a link to '/etc/passwd'"),
        (tarfile.LNKTYPE, "is a link to '/etc/passwd'"),
        (tarfile.CHRTYPE, "is a device"),
        (tarfile.BLKTYPE, "is a device"),
        (tarfile.FIFOTYPE, "is a device or another special file"),
    ],
)
def test_links_and_devices_are_refused(tar_with: Callable, kind: bytes, words: str):
    member = tarfile.TarInfo("odd")
    member.type = kind
    member.linkname = "/etc/passwd"
    with pytest.raises(UnsafeArchiveError, match=words):
        load(str(tar_with(member)))


@pytest.mark.parametrize("name", ["GNU.sparse.map", "GNU.sparse.size", "GNU.sparse.realsize"])
def test_an_extended_header_without_sense_is_refused(
    tmp_path: Path, binary_members: Members, name: str
):
    path = tmp_path / "strange.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for member_name, content in binary_members.items():
            member = tarfile.TarInfo(member_name)
            member.size = len(content)
            member.pax_headers = {name: "a,b"}
            tar.addfile(member, io.BytesIO(content))
    with pytest.raises(CorruptArchiveError, match="not a complete tar"):
        load(str(path))


def test_an_oversized_batch_is_refused(
    tmp_path: Path, binary_members: Members, write_tar: Callable
):
    binary_members["data_batch_1.bin"] = bytes(10_001 * 3073)
    path = write_tar(tmp_path / "a.tar.gz", binary_members)
    with pytest.raises(UnsafeArchiveError, match=r"data_batch_1\.bin is oversized: 30,733,073"):
        load(str(path))


def test_a_bomb_is_refused_after_a_bounded_amount(
    tmp_path: Path, write_tar: Callable, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 1_000_000)
    path = write_tar(tmp_path / "a.tar.gz", {"padding": bytes(2_000_000)})
    assert path.stat().st_size < 10_000
    with pytest.raises(UnsafeArchiveError, match="unpacks to more than 1,000,000 bytes"):
        load(str(path))


def test_countless_members_are_refused(tmp_path: Path, write_tar: Callable):
    path = write_tar(tmp_path / "a.tar", {f"file{n}": b"" for n in range(1_001)})
    with pytest.raises(UnsafeArchiveError, match="more than 1,000 members"):
        load(str(path))


def test_two_batches_of_one_name_are_refused(
    tmp_path: Path, binary_members: Members, write_tar: Callable
):
    twice = {"other/test_batch.bin": binary_members["test_batch.bin"], **binary_members}
    with pytest.raises(UnsafeArchiveError, match=r"two files called test_batch\.bin"):
        load(str(write_tar(tmp_path / "a.tar", twice)))


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.9999])
def test_a_truncated_gzip_is_refused(binary_tar: Path, keep: float):
    content = binary_tar.read_bytes()
    binary_tar.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(CorruptArchiveError, match=r"small\.tar\.gz: not a complete tar"):
        load(str(binary_tar))


def test_a_flipped_bit_is_found_by_gzips_checksum(tmp_path: Path, binary_tar: Path):
    content = bytearray(gzip.decompress(binary_tar.read_bytes()))
    packed = bytearray(gzip.compress(bytes(content), compresslevel=0))
    packed[len(packed) // 2] ^= 1  # stored, not deflated: only the checksum can tell
    path = tmp_path / "flipped.tar.gz"
    path.write_bytes(packed)
    with pytest.raises(CorruptArchiveError, match="CRC"):
        load(str(path))


@pytest.mark.parametrize("content", [b"<html>not found</html>", b"PK\3\4" + bytes(3000)])
def test_a_file_that_is_no_tar_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "cifar.tar.gz"
    path.write_bytes(content)
    with pytest.raises(CorruptArchiveError, match=r"cifar\.tar\.gz: not a complete tar"):
        load(str(path))


def test_a_missing_batch_is_named(tmp_path: Path, binary_members: Members, write_tar: Callable):
    del binary_members["data_batch_2.bin"]
    path = write_tar(tmp_path / "a.tar", binary_members)
    with pytest.raises(MissingFileError, match=r"a\.tar: data_batch_2\.bin missing"):
        load(str(path))
