"""Addresses, from a server on this machine: bounded in size and time, and led nowhere else."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import pytest

from zoo import BadFile, NetworkError
from zoo.models.inputs.fetch import FetchLimits, address_kind, fetch_file


class Pages(BaseHTTPRequestHandler):
    """Answers by path."""

    redirects: ClassVar[dict[str, str]] = {
        "/moved.png": "/a.png",
        "/to-file": "file:///etc/passwd",
        "/to-ftp": "ftp://127.0.0.1/a.png",
        "/to-metadata": "http://169.254.169.254/latest/meta-data/",
        "/to-network": "http://10.0.0.1/router",
        "/round": "/round",
    }

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path in self.redirects:
            self.send_response(302)
            self.send_header("Location", self.redirects[path])
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif path in ("/a.png", "/named", "/endless", "/short", "/drip"):
            self.send_response(200)
            self.send_header("Content-Type", "image/png; charset=binary")
            if path == "/short":
                self.send_header("Content-Length", "10")
            self.end_headers()
            self._body(path)
        else:
            self.send_error(404)

    def _body(self, path: str) -> None:
        try:
            if path == "/endless":
                while True:
                    self.wfile.write(b"x" * 4096)
            for _ in range(200 if path == "/drip" else 1):
                self.wfile.write(b"data")
                self.wfile.flush()
                time.sleep(0.05 if path == "/drip" else 0)
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    http = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.server_address[1]}"
    http.shutdown()
    http.server_close()


@pytest.mark.parametrize(
    ("path", "name"), [("/a.png", "address.png"), ("/moved.png#top", "address.png"), ("/named?x=1", "address.png")]
)
def test_a_file_arrives_with_the_suffix_of_its_kind(server: str, tmp_path: Path, path: str, name: str) -> None:
    file = fetch_file(server + path, tmp_path)
    assert (file.name, file.read_bytes()) == (name, b"data")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/to-file", "it redirects to file:///etc/passwd, which is no http or https address"),
        ("/to-ftp", "which is no http or https address"),
        (
            "/to-metadata",
            "it redirects to 169.254.169.254, which is a link-local address, and such a one was not typed",
        ),
        ("/to-network", "it redirects to 10.0.0.1, which is a private address"),
        ("/round", "the server answers 302"),
        ("/gone", "the server answers 404"),
    ],
)
def test_a_redirect_leads_nowhere_else(server: str, tmp_path: Path, path: str, said: str) -> None:
    with pytest.raises(BadFile) as caught:
        fetch_file(server + path, tmp_path)
    assert said in caught.value.message
    assert caught.value.message.startswith(server + path)


def test_a_file_is_bounded_in_size(server: str, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="/endless is larger than 1 MB"):
        fetch_file(f"{server}/endless", tmp_path, limits=FetchLimits(bytes=1_000_000))


def test_a_file_is_bounded_in_time(server: str, tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"/drip did not arrive within 0\.3 s"):
        fetch_file(f"{server}/drip", tmp_path, limits=FetchLimits(seconds=0.3))


def test_a_file_that_breaks_off_is_no_file(server: str, tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="broke off after 4 of 10 bytes"):
        fetch_file(f"{server}/short", tmp_path)


def test_nobody_at_the_address_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"http://127\.0\.0\.1:9/a\.png cannot be reached"):
        fetch_file("http://127.0.0.1:9/a.png", tmp_path)


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("0.0.0.0", "loopback"),
        ("10.1.2.3", "private"),
        ("192.168.0.1", "private"),
        ("100.64.0.1", "private"),
        ("fd00::1", "private"),
        ("169.254.169.254", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("8.8.8.8", "public"),
        ("2606:4700::1111", "public"),
    ],
)
def test_kinds_of_addresses(address: str, kind: str) -> None:
    assert address_kind(address) == kind


class Proxy(Pages):
    """A proxy that answers for every host itself."""

    redirects: ClassVar[dict[str, str]] = {
        "/to-metadata": "http://169.254.169.254/latest/meta-data/",
        "/to-network": "http://10.0.0.1/router",
        "/to-name": "http://router.lan/a.png",
        "/to-machine": "http://localhost/a.png",
        "/moved.png": "http://other.example/a.png",
    }

    def do_GET(self) -> None:
        self.path = urlsplit(self.path).path
        super().do_GET()


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    http = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{http.server_address[1]}")
    monkeypatch.setenv("no_proxy", "")

    def resolve(host: str, port: object, *_: object, **options: object) -> list[object]:
        known = {"localhost": "127.0.0.1", "127.0.0.1": "127.0.0.1"}
        if host not in known:
            raise OSError("Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (known[host], port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    yield "http://pictures.example"
    http.shutdown()
    http.server_close()


def test_a_proxy_may_lead_to_other_public_hosts(proxy: str, tmp_path: Path) -> None:
    assert fetch_file(f"{proxy}/moved.png", tmp_path).read_bytes() == b"data"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/to-metadata", "169.254.169.254, which is a link-local"),
        ("/to-network", "10.0.0.1, which is a private"),
        ("/to-name", "router.lan, which is a private"),
        ("/to-machine", "localhost, which is a loopback"),
    ],
)
def test_a_redirect_behind_a_proxy_leads_nowhere_else(proxy: str, path: str, kind: str, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=f"it redirects to {re.escape(kind)} address, and such a one was not typed"):
        fetch_file(f"{proxy}{path}", tmp_path)


def test_a_file_behind_a_proxy_is_bounded_in_time(proxy: str, tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="did not arrive within"):
        fetch_file(f"{proxy}/drip", tmp_path, limits=FetchLimits(seconds=0.3))
