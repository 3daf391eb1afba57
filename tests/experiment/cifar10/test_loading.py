import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from experiment.cifar10 import (
    Arrays,
    ChecksumError,
    DataPathError,
    MirrorError,
    UnavailableError,
    download,
    load,
    loading,
    official,
    synthetic,
)
from experiment.cifar10.pictures import fingerprint_of

PUBLISHED = official.ARCHIVE


@pytest.fixture(autouse=True)
def small_archive_is_the_official_one(
    monkeypatch: pytest.MonkeyPatch, remote: download.RemoteArchive
) -> None:
    """The real one is large and far away."""
    monkeypatch.setattr(official, "ARCHIVE", remote)


@pytest.fixture(autouse=True)
def small_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it looks like is the business of test_synthetic.py."""
    monkeypatch.setattr(synthetic, "TRAIN_COUNT", 1000)
    monkeypatch.setattr(synthetic, "TEST_COUNT", 1000)


@pytest.fixture
def offline(server: Any) -> Iterator[None]:
    server.status = 503
    yield
    server.status = None


def test_the_official_archive_is_described_as_it_was_published():
    archive = PUBLISHED
    assert archive.url == "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
    assert archive.size == 170_052_171
    assert archive.sha256.startswith("c4a38c50a1bc5f3a")
    assert archive.sha256.endswith("9a59bca1dd")


class TestCifar10:
    def test_it_is_downloaded(self, server: Any, expected: Arrays, messages: list[str]):
        data = load("cifar10", report=messages.append)
        assert data.fingerprint == fingerprint_of(expected)
        assert not data.synthetic
        assert data.notice is None
        assert messages == [f"downloading {server.url} (0 MB)"]

    def test_it_is_downloaded_once(self, server: Any):
        load("cifar10")
        server.asked.clear()
        load("cifar10")
        load("auto")
        assert server.asked == []

    def test_the_archive_in_the_cache_is_decoded_again_if_need_be(
        self, server: Any, own_cache: Path
    ):
        first = load("cifar10").fingerprint
        (own_cache / "decoded").rename(own_cache / "away")
        server.asked.clear()
        assert load("cifar10").fingerprint == first
        assert server.asked == []

    def test_a_damaged_archive_in_the_cache_is_downloaded_again(
        self, server: Any, own_cache: Path, messages: list[str], expected: Arrays
    ):
        (own_cache / "archives").mkdir(parents=True)
        (own_cache / "archives" / "archive.tar.gz").write_bytes(b"damaged")
        data = load("cifar10", report=messages.append)
        assert data.fingerprint == fingerprint_of(expected)
        assert "archive.tar.gz is damaged" in messages[0]

    @pytest.mark.usefixtures("offline")
    def test_without_network_the_error_says_what_to_do(self):
        with pytest.raises(UnavailableError, match=r"cannot be reached(.|\n)*give --data PATH"):
            load("cifar10")

    def test_a_wrong_checksum_is_an_error(self, server: Any):
        server.content = bytes(len(server.content))
        with pytest.raises(ChecksumError):
            load("cifar10")

    def test_a_mirror_is_asked_instead_and_held_to_the_official_checksum(
        self, server: Any, remote: download.RemoteArchive, monkeypatch: pytest.MonkeyPatch
    ):
        elsewhere = download.RemoteArchive(
            remote.name, "http://127.0.0.1:1/archive.tar.gz", remote.size, remote.sha256
        )
        monkeypatch.setattr(official, "ARCHIVE", elsewhere)
        monkeypatch.setenv("CIFAR10_URL", server.url + "?mirror")
        right = server.content
        server.content = bytes(len(right))
        with pytest.raises(ChecksumError):
            load("cifar10")
        server.content = right
        assert len(load("cifar10").test_labels) == 3

    @pytest.mark.parametrize("url", ["cifar.tar.gz", "file:///cifar.tar.gz"])
    def test_a_mirror_that_is_no_web_address_is_refused(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("CIFAR10_URL", url)
        with pytest.raises(MirrorError, match=f"CIFAR10_URL={url}"):
            load("cifar10")

    def test_an_unwritable_cache_costs_time_only(
        self, own_cache: Path, messages: list[str], expected: Arrays
    ):
        own_cache.write_text("a file where the folder should be")
        data = load("cifar10", report=messages.append)
        assert fingerprint_of(data) == fingerprint_of(expected)
        assert [message.partition(":")[0] for message in messages if "written" in message] == [
            "cache not written",
            "cache not written",
        ]


class TestAuto:
    def test_cifar10_dir_comes_first(
        self, binary_folder: Path, server: Any, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("CIFAR10_DIR", str(binary_folder))
        assert load().source == f"binary folder, {binary_folder}"
        assert server.asked == []

    def test_a_wrong_cifar10_dir_is_an_error_and_nothing_else_is_tried(
        self, tmp_path: Path, server: Any, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("CIFAR10_DIR", str(tmp_path / "nothing"))
        with pytest.raises(DataPathError, match=r"CIFAR10_DIR is set: .*nothing: no such file"):
            load()
        assert server.asked == []

    def test_with_network_it_is_cifar10(self, expected: Arrays):
        data = load()
        assert data.fingerprint == fingerprint_of(expected)
        assert (data.synthetic, data.notice) == (False, None)

    def test_what_it_chose_can_be_asked_for_again(
        self, server: Any, binary_folder: Path, monkeypatch: pytest.MonkeyPatch
    ):
        assert load("auto").spec == "cifar10"
        monkeypatch.setenv("CIFAR10_DIR", str(binary_folder))
        assert load("auto").spec == str(binary_folder.resolve())
        assert load(load("auto").spec).fingerprint == load("auto").fingerprint

    @pytest.mark.usefixtures("offline")
    def test_without_network_it_is_the_stand_in_and_says_why(self, server: Any):
        data = load()
        assert data.synthetic
        assert data.notice is not None
        assert data.notice.startswith("SYNTHETIC STAND-IN DATA, not CIFAR-10")
        assert f"{server.url}: cannot be reached (Service Unavailable)" in data.notice
        assert "set CIFAR10_DIR" in data.notice

    def test_a_silent_network_is_given_up_in_bounded_time(
        self, server: Any, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(official, "PATIENCE_SECONDS", 0.5)
        server.stall_after = 1000
        started = time.monotonic()
        data = load()
        assert time.monotonic() - started < 3
        assert data.notice is not None
        assert "stood still" in data.notice

    def test_a_wrong_checksum_is_an_error_and_no_reason_to_fall_back(self, server: Any):
        server.content = bytes(len(server.content))
        with pytest.raises(ChecksumError):
            load()


def test_asked_for_synthetic_pictures_say_so_too():
    data = load("synthetic")
    assert (data.synthetic, data.official) == (True, False)
    assert len(data.train_labels) == 1000
    assert data.source == "synthetic stand-in, built in"
    assert data.notice is not None
    assert data.notice.startswith("SYNTHETIC STAND-IN DATA, not CIFAR-10")


def test_official_bytes_are_called_official_also_at_the_second_start(
    binary_tar: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patched:
        patched.setattr(loading, "is_official", lambda arrays: True)
        assert load(str(binary_tar)).official
    again = load(str(binary_tar))
    assert again.official
    assert again.source == f"official binary archive, {binary_tar}"


def test_messages_go_to_stderr_unless_told_otherwise(capsys: pytest.CaptureFixture, server: Any):
    load("cifar10")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"downloading {server.url} (0 MB)\n"
