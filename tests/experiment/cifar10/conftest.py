"""A small archive of random pictures, in every form, written without the code under test."""

import contextlib
import hashlib
import http.server
import io
import pickle
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from experiment.cifar10 import Arrays, synthetic
from experiment.cifar10.download import RemoteArchive

BATCH_NAMES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
RECORDS_PER_BATCH = 3

Members = dict[str, bytes]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees the user's cache or settings."""
    monkeypatch.delenv("CIFAR10_DIR", raising=False)
    monkeypatch.delenv("CIFAR10_URL", raising=False)
    cache = tmp_path / "cache"
    monkeypatch.setenv("CIFAR10_CACHE", str(cache))
    return cache


@pytest.fixture
def messages() -> list[str]:
    """Pass `messages.append` as `report`."""
    return []


@pytest.fixture(scope="session")
def records() -> dict[str, np.ndarray]:
    """Batch name -> (3, 3073) records: label, then the red, green and blue plane."""
    random = np.random.default_rng(7)
    batches = {}
    for name in BATCH_NAMES:
        batch = random.integers(0, 256, (RECORDS_PER_BATCH, 3073), dtype=np.uint8)
        batch[:, 0] %= 10
        batches[name] = batch
    return batches


@pytest.fixture(scope="session")
def expected(records: dict[str, np.ndarray]) -> Arrays:
    """What every form of the small archive must give, written out pixel by pixel."""

    def split(names: list[str]) -> tuple[np.ndarray, np.ndarray]:
        rows = [row for name in names for row in records[name]]
        images = np.empty((len(rows), 32, 32, 3), np.uint8)
        for n, row in enumerate(rows):
            for channel in range(3):
                for y in range(32):
                    for x in range(32):
                        images[n, y, x, channel] = row[1 + channel * 1024 + y * 32 + x]
        return images, np.array([row[0] for row in rows], np.uint8)

    return Arrays(*split(BATCH_NAMES[:5]), *split(BATCH_NAMES[5:]))


@pytest.fixture
def binary_members(records: dict[str, np.ndarray]) -> Members:
    return {f"{name}.bin": batch.tobytes() for name, batch in records.items()}


@pytest.fixture
def python_members(records: dict[str, np.ndarray]) -> Members:
    members = {
        name: pickle.dumps({"data": batch[:, 1:], "labels": batch[:, 0].tolist()})
        for name, batch in records.items()
    }
    members["batches.meta"] = pickle.dumps({"label_names": ["a name"] * 10})
    return members


@pytest.fixture
def blessed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Members], None]:
    """Makes torchvision take the small archive for the published one, by its md5 sums."""

    def bless(members: Members) -> None:
        from torchvision.datasets import CIFAR10

        sums = [[name, hashlib.md5(members[name]).hexdigest()] for name in BATCH_NAMES]
        meta = hashlib.md5(members["batches.meta"]).hexdigest()
        monkeypatch.setattr(CIFAR10, "train_list", sums[:5])
        monkeypatch.setattr(CIFAR10, "test_list", sums[5:])
        monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": meta})

    return bless


@pytest.fixture(scope="session")
def stand_in() -> Arrays:
    """All 60,000 synthetic pictures, made once; they can only be read."""
    arrays = synthetic.generate()
    for array in arrays.named().values():
        array.flags.writeable = False
    return arrays


def _write_folder(folder: Path, members: Members) -> Path:
    folder.mkdir(parents=True)
    for name, content in members.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def write_folder() -> Callable[[Path, Members], Path]:
    return _write_folder


@pytest.fixture(scope="session")
def write_tar() -> Callable[[Path, Members], Path]:
    """Writes a tar, gzipped if its name says so; member names are taken as they are."""

    def write(path: Path, members: Members) -> Path:
        with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as tar:
            for name, content in members.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return path

    return write


@pytest.fixture
def binary_folder(tmp_path: Path, binary_members: Members) -> Path:
    return _write_folder(tmp_path / "cifar-10-batches-bin", binary_members)


@pytest.fixture
def python_folder(tmp_path: Path, python_members: Members) -> Path:
    return _write_folder(tmp_path / "cifar-10-batches-py", python_members)


@pytest.fixture
def binary_tar(tmp_path: Path, binary_members: Members, write_tar: Callable[..., Path]) -> Path:
    members = {f"cifar-10-batches-bin/{name}": data for name, data in binary_members.items()}
    return write_tar(tmp_path / "small.tar.gz", members)


class ArchiveServer:
    """A real HTTP server of one file, which can be told to misbehave."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.ranges = True
        """Whether it honours the Range header."""
        self.status: int | None = None
        """If set, the only answer there is."""
        self.cut_after: list[int] = []
        """For the next connections: the number of bytes after which each is closed."""
        self.stall_after: int | None = None
        """If set, it sends that many bytes and then nothing, with the connection open."""
        self.drip_seconds: float | None = None
        """If set, it sends a byte at a time, and waits so long after each."""
        self.asked: list[str | None] = []
        """The Range header of each request."""
        self.closing = threading.Event()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/archive.tar.gz"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        asked = handler.headers["Range"]
        self.asked.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.ranges else 0
        total = len(self.content)
        status = self.status or (416 if start >= total else 206 if start else 200)
        body = self.content[start:] if status < 300 else b""
        length = len(body)
        # Before the client sees anything of the answer: from then on, the test may go on and give
        # orders for the next connection.
        if self.cut_after:
            body = body[: self.cut_after.pop(0)]
        drip_seconds, stall_after = self.drip_seconds, self.stall_after
        handler.send_response(status)
        handler.send_header("Content-Length", str(length))
        if status == 206:
            handler.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        handler.end_headers()
        with contextlib.suppress(ConnectionError):
            if drip_seconds is not None:
                self._drip(handler, body, drip_seconds)
                return
            handler.wfile.write(body[:stall_after])
            if stall_after is not None:
                self.closing.wait(30)

    def _drip(
        self, handler: http.server.BaseHTTPRequestHandler, body: bytes, seconds: float
    ) -> None:
        for byte in body:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            if self.closing.wait(seconds):
                return

    def close(self) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server(binary_tar: Path) -> Iterator[ArchiveServer]:
    """Serves the small archive in the binary layout."""
    server = ArchiveServer(binary_tar.read_bytes())
    yield server
    server.close()


@pytest.fixture
def remote(server: ArchiveServer) -> RemoteArchive:
    """What the server's archive must be."""
    sha256 = hashlib.sha256(server.content).hexdigest()
    return RemoteArchive("archive.tar.gz", server.url, len(server.content), sha256)
