import fcntl
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiment.cifar10 import ChecksumError, UnavailableError
from experiment.cifar10.download import RemoteArchive, download


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "downloads"


@pytest.fixture
def fetch(remote: RemoteArchive, folder: Path, messages: list[str]) -> Callable[..., Path]:
    def fetch(patience: float = 60.0, **changes: Any) -> Path:
        archive = replace(remote, **changes)
        return download(archive, folder, report=messages.append, patience=patience)

    return fetch


def parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.part*"))


def test_the_verified_file_lies_under_its_own_name(fetch: Callable, server: Any, folder: Path):
    path = fetch()
    assert path == folder / "archive.tar.gz"
    assert path.read_bytes() == server.content
    assert parts(folder) == []


def test_a_transfer_that_breaks_off_is_resumed_where_it_broke(fetch: Callable, server: Any):
    server.cut_after = [10_000, 5_000]
    assert fetch().read_bytes() == server.content
    assert server.asked == [None, "bytes=10000-", "bytes=15000-"]


def test_a_later_process_goes_on_where_an_earlier_one_stopped(
    fetch: Callable, server: Any, folder: Path
):
    server.cut_after = [20_000, 0]
    with pytest.raises(UnavailableError, match="broke off after 20,000 of"):
        fetch()
    assert [part.stat().st_size for part in parts(folder)] == [20_000]
    server.asked.clear()
    assert fetch().read_bytes() == server.content
    assert server.asked == ["bytes=20000-"]


def test_a_server_without_ranges_sends_everything_again(fetch: Callable, server: Any, folder: Path):
    server.cut_after = [20_000, 0]
    with pytest.raises(UnavailableError, match="broke off after 20,000 of"):
        fetch()
    server.ranges = False
    assert fetch().read_bytes() == server.content
    assert server.asked[-1] == "bytes=20000-"


def test_a_range_the_server_cannot_satisfy_starts_anew(fetch: Callable, server: Any, folder: Path):
    whole = server.content
    server.content = whole[:20_000]
    with pytest.raises(ChecksumError):
        fetch()  # the server has a shorter file, and says so
    server.cut_after, server.content = [20_000, 0], whole
    with pytest.raises(UnavailableError, match="broke off after 20,000 of"):
        fetch()
    server.status = 416
    with pytest.raises(UnavailableError, match="cannot be reached"):
        fetch()
    assert server.asked[-2:] == ["bytes=20000-", None]
    server.status = None
    assert fetch().read_bytes() == whole


def test_bytes_of_one_url_are_not_continued_with_those_of_another(
    fetch: Callable, server: Any, remote: RemoteArchive
):
    server.cut_after = [20_000, 0]
    with pytest.raises(UnavailableError, match="broke off after 20,000 of"):
        fetch()
    fetch(url=remote.url.replace("archive", "mirror/archive"))
    assert server.asked[-1] is None


def test_a_part_file_that_is_already_complete_needs_no_network(
    fetch: Callable, server: Any, folder: Path
):
    server.cut_after = [20_000, 0]
    with pytest.raises(UnavailableError, match="broke off after 20,000 of"):
        fetch()
    parts(folder)[0].write_bytes(server.content)
    server.asked.clear()
    assert fetch().read_bytes() == server.content
    assert server.asked == []


def test_a_wrong_checksum_is_an_error_and_the_next_try_starts_anew(
    fetch: Callable, server: Any, folder: Path
):
    right = server.content
    server.content = bytes(len(right))
    with pytest.raises(ChecksumError, match=r"this is not archive\.tar\.gz: found sha256 [0-9a-f]"):
        fetch()
    assert list(folder.iterdir()) == []
    server.content = right
    server.asked.clear()
    assert fetch().read_bytes() == right
    assert server.asked == [None]


def test_a_file_of_another_size_is_refused_before_it_is_transferred(
    fetch: Callable, server: Any, folder: Path
):
    server.content += b"more"
    with pytest.raises(ChecksumError, match=rf"found {len(server.content):,} bytes; expected"):
        fetch()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("status", [403, 404, 503])
def test_a_refusal_by_the_server_is_passed_on(fetch: Callable, server: Any, status: int):
    server.status = status
    with pytest.raises(UnavailableError, match=r"http://127.*cannot be reached"):
        fetch()


def test_an_unreachable_server_is_an_error_at_once(fetch: Callable):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/archive.tar.gz"
    with pytest.raises(UnavailableError, match="refused"):
        fetch(url=url)


@pytest.mark.parametrize("url", ["http://", "http://[", "no-url"])
def test_an_address_that_is_none_is_an_error(fetch: Callable, url: str):
    with pytest.raises(UnavailableError, match="cannot be reached"):
        fetch(url=url)


@pytest.fixture
def mute_url() -> Iterator[str]:
    """A server that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/archive.tar.gz"


def test_a_server_that_never_answers_is_given_up_in_bounded_time(fetch: Callable, mute_url: str):
    started = time.monotonic()
    with pytest.raises(UnavailableError, match="cannot be reached"):
        fetch(url=mute_url, patience=0.5)
    assert time.monotonic() - started < 2


def test_a_name_look_up_that_hangs_is_given_up_in_bounded_time(
    fetch: Callable, monkeypatch: pytest.MonkeyPatch
):
    released = threading.Event()

    def hang(*_: object, **__: object) -> None:
        released.wait(30)
        raise OSError("too late")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    started = time.monotonic()
    with pytest.raises(UnavailableError, match=r"no answer within 0\.5 seconds"):
        fetch(patience=0.5)
    assert time.monotonic() - started < 2
    released.set()


def test_a_transfer_that_stands_still_is_given_up_and_can_go_on_later(
    fetch: Callable, server: Any, folder: Path
):
    server.stall_after = 30_000
    with pytest.raises(UnavailableError, match=r"stood still for 0\.5 seconds"):
        fetch(patience=0.5)
    kept = parts(folder)[0].stat().st_size
    assert 0 < kept <= 30_000
    server.stall_after = None
    assert fetch().read_bytes() == server.content
    assert server.asked[-1] == f"bytes={kept}-"


def test_a_transfer_that_drips_is_given_up_too(fetch: Callable, server: Any, folder: Path):
    server.drip_seconds = 0.1
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="the transfer is too slow"):
        fetch(patience=0.4)
    assert time.monotonic() - began < 5
    assert 0 < parts(folder)[0].stat().st_size < 100
    server.drip_seconds = None
    assert fetch().read_bytes() == server.content


def test_a_second_process_does_not_write_into_the_first_ones_file(
    fetch: Callable, server: Any, folder: Path
):
    server.cut_after = [20_000, 0]
    with pytest.raises(UnavailableError, match="broke off after 20,000 of"):
        fetch()
    part = parts(folder)[0]
    with part.open("a+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert fetch().read_bytes() == server.content
    assert parts(folder) == [part]
    assert part.stat().st_size == 20_000


def test_a_full_disk_is_an_error_that_says_where(fetch: Callable, folder: Path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))  # the kernel refuses longer files
    try:
        with pytest.raises(UnavailableError, match=r"\.part: cannot be written .* Make room"):
            fetch()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
