"""Downloads from a server on this machine that misbehaves in every way we could think of."""

from __future__ import annotations

import hashlib
import multiprocessing
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from zoo.api.errors import DiskError, HashMismatch, NetworkError
from zoo.models.weights.download import Patience, download

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
QUICK = Patience(timeout=0.3, attempts=3, pause=0.01)


@dataclass
class Server:
    """What a test sets, and what it sees afterwards."""

    address: str = ""
    behave: Callable[[BaseHTTPRequestHandler, int], None] = lambda handler, _: whole(handler)
    ranges: list[str] = field(default_factory=list)
    """The Range header of each request, "" where there was none."""
    release: threading.Event = field(default_factory=threading.Event)


def whole(handler: BaseHTTPRequestHandler, content: bytes = CONTENT) -> None:
    """A server that knows ranges."""
    start = int(handler.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
    if start >= len(content):
        handler.send_error(416)
        return
    handler.send_response(206 if start else 200)
    if start:
        handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
    body(handler, content[start:])


def body(handler: BaseHTTPRequestHandler, content: bytes, *, sent: int | None = None) -> None:
    """All headers and the beginning of the content."""
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[:sent])


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.ranges.append(self.headers.get("Range", ""))
            state.behave(self, len(state.ranges))

        def log_message(self, *_: Any) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    state.address = f"http://127.0.0.1:{running.server_port}/w.pth"
    yield state
    state.release.set()
    running.shutdown()
    thread.join()
    running.server_close()


def get(server: Server, path: Path, sha256: str = SHA256) -> list[tuple[int, int]]:
    """Download and return the progress that was told."""
    told: list[tuple[int, int]] = []
    download(server.address, path, sha256=sha256, progress=lambda *one: told.append(one), patience=QUICK)
    return told


def names(path: Path) -> set[str]:
    return {entry.name for entry in path.iterdir()} - {"w.pth.lock"}


def test_a_file_arrives_whole_and_progress_is_told(server: Server, tmp_path: Path) -> None:
    told = get(server, tmp_path / "sub" / "w.pth", SHA256[:8])
    assert (tmp_path / "sub" / "w.pth").read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert names(tmp_path / "sub") == {"w.pth"}


def test_a_file_that_is_there_is_not_asked_for(server: Server, tmp_path: Path) -> None:
    get(server, tmp_path / "w.pth")
    get(server, tmp_path / "w.pth")
    assert server.ranges == [""]


def test_a_refusal_is_final(server: Server, tmp_path: Path) -> None:
    server.behave = lambda handler, _: handler.send_error(404)
    with pytest.raises(NetworkError, match="the server answers 404 Not Found"):
        get(server, tmp_path / "w.pth")
    assert server.ranges == [""]
    assert names(tmp_path) == set()


def test_a_busy_server_is_asked_again(server: Server, tmp_path: Path) -> None:
    server.behave = lambda handler, n: whole(handler) if n > 2 else handler.send_error(503)
    get(server, tmp_path / "w.pth")
    assert len(server.ranges) == 3


def test_nobody_waits_for_ever(server: Server, tmp_path: Path) -> None:
    server.behave = lambda handler, _: handler.send_error(503)
    with pytest.raises(NetworkError, match="did not arrive after 3 tries: the server answers 503") as error:
        get(server, tmp_path / "w.pth")
    assert "ZOO_MIRROR" in error.value.hint
    assert len(server.ranges) == 3


def truncated(handler: BaseHTTPRequestHandler, n: int) -> None:
    """The first answer breaks off."""
    if n > 1:
        whole(handler)
        return
    handler.send_response(200)
    body(handler, CONTENT, sent=1000)


def test_a_truncated_answer_is_gone_on_from(server: Server, tmp_path: Path) -> None:
    server.behave = truncated
    get(server, tmp_path / "w.pth")
    assert server.ranges == ["", "bytes=1000-"]
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_a_server_without_ranges_starts_again(server: Server, tmp_path: Path) -> None:
    def behave(handler: BaseHTTPRequestHandler, n: int) -> None:
        handler.send_response(200)
        body(handler, CONTENT, sent=1000 if n == 1 else None)

    server.behave = behave
    get(server, tmp_path / "w.pth")
    assert server.ranges == ["", "bytes=1000-"]
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_a_silent_server_is_given_up_and_its_part_kept(server: Server, tmp_path: Path) -> None:
    def behave(handler: BaseHTTPRequestHandler, _: int) -> None:
        handler.send_response(200)
        body(handler, CONTENT, sent=1000)
        handler.wfile.flush()
        server.release.wait(10)

    server.behave = behave
    with pytest.raises(NetworkError, match="the server fell silent"):
        get(server, tmp_path / "w.pth")
    assert names(tmp_path) == {"w.pth.part"}
    assert CONTENT.startswith((tmp_path / "w.pth.part").read_bytes())


def test_wrong_bytes_are_refused_and_not_kept(server: Server, tmp_path: Path) -> None:
    server.behave = lambda handler, _: whole(handler, b"something else")
    with pytest.raises(HashMismatch, match=f"and {SHA256}… was expected"):
        get(server, tmp_path / "w.pth")
    assert server.ranges == [""]
    assert names(tmp_path) == set()


def test_the_part_of_a_killed_process_is_gone_on_from(server: Server, tmp_path: Path) -> None:
    (tmp_path / "w.pth.part").write_bytes(CONTENT[:5000])
    told = get(server, tmp_path / "w.pth")
    assert server.ranges == ["bytes=5000-"]
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_a_complete_part_is_not_asked_for(server: Server, tmp_path: Path) -> None:
    (tmp_path / "w.pth.part").write_bytes(CONTENT)
    get(server, tmp_path / "w.pth")
    assert server.ranges == []
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


@pytest.mark.parametrize("part", [b"\0" * 5000, b"\0" * len(CONTENT) * 2], ids=["other bytes", "too long"])
def test_a_bad_part_is_begun_again(server: Server, tmp_path: Path, part: bytes) -> None:
    (tmp_path / "w.pth.part").write_bytes(part)
    get(server, tmp_path / "w.pth")
    assert server.ranges == [f"bytes={len(part)}-", ""]
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_redirects_are_followed(server: Server, tmp_path: Path) -> None:
    def behave(handler: BaseHTTPRequestHandler, n: int) -> None:
        if n > 1:
            whole(handler)
            return
        handler.send_response(302)
        handler.send_header("Location", "/elsewhere")
        body(handler, b"")

    server.behave = behave
    get(server, tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_nobody_listening_is_a_sentence(server: Server, tmp_path: Path) -> None:
    gone = Server(address="http://127.0.0.1:9/w.pth")
    with pytest.raises(NetworkError, match=r"did not arrive after 3 tries: .*refused"):
        get(gone, tmp_path / "w.pth")


def test_a_full_disk_is_noticed_before_the_first_byte(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free=500_000))
    with pytest.raises(DiskError, match=r"has 0 MB free, and the download needs 1 MB") as error:
        get(server, tmp_path / "w.pth")
    assert "ZOO_CACHE" in error.value.hint


def _get_in_process(address: str, path: Path, ready: Any) -> None:
    ready.wait(20)
    download(address, path, sha256=SHA256, progress=lambda *_: None, patience=QUICK)


def test_two_processes_at_once_download_once(server: Server, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(2)
    arguments = (server.address, tmp_path / "w.pth", ready)
    both = [context.Process(target=_get_in_process, args=arguments) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(30)
    assert [one.exitcode for one in both] == [0, 0]
    assert server.ranges == [""]
    assert (tmp_path / "w.pth").read_bytes() == CONTENT
