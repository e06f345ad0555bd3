"""One file from an address that the user typed: http(s) only, bounded in size and time, redirects checked.  Torch-free.

A page on the internet must not reach what only this machine or its network can: a redirect leads to a public address,
or to one of the kind (this machine, this network) that the user typed.  The address is checked where it is connected
to, so that no name can mean another machine a moment later.  Where a proxy of the environment makes the connections,
the hosts are checked by their names and by the addresses that these have here.
"""

from __future__ import annotations

import ipaddress
import mimetypes
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from threading import Timer
from typing import IO, Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from zoo.api.errors import BadFile, NetworkError
from zoo.runs.atomic import disk_errors

CHUNK: Final = 1 << 16
PUBLIC: Final = "public"
INSIDE: Final = (".local", ".localhost", ".internal", ".intranet", ".lan", ".home.arpa")
"""How names end that only a network of its own knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """How much one address may cost."""

    bytes: int = 200_000_000
    seconds: float = 120.0
    """For the whole file."""
    silence: float = 20.0
    """Seconds without a byte after which the connection counts as broken."""


def fetch_file(url: str, folder: Path, *, limits: FetchLimits | None = None) -> Path:
    """The file at an address, in `folder`, with the suffix that the address or the server gives it.

    BadFile when the address is wrong, too large or leads where it must not; NetworkError when nothing arrives.
    """
    limits = limits or FetchLimits()
    guard = _Guard()
    with _answer(url, guard, limits) as answer:
        path = folder / f"address{_suffix(answer.url, answer.headers)}"
        length = answer.headers.get("Content-Length") or ""
        if length.isdecimal() and int(length) > limits.bytes:
            raise _too_large(url, limits)
        received = 0
        with path.open("wb") as file:
            while chunk := answer.read1(CHUNK):
                received += len(chunk)
                if guard.expired:  # nobody breaks off what a proxy sends
                    raise _too_slow(url, limits)
                if received > limits.bytes:
                    raise _too_large(url, limits)
                with disk_errors(path):
                    file.write(chunk)
    if guard.expired:
        raise _too_slow(url, limits)
    if length.isdecimal() and received < int(length):
        raise NetworkError(f"{url} broke off after {received:,} of {int(length):,} bytes", hint="try again")
    return path


def address_kind(address: str) -> str:
    """Whether an IP address is public, of this machine, of a link or of a private network."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.is_loopback or ip.is_unspecified:
        return "loopback"
    if ip.is_link_local:
        return "link-local"
    return PUBLIC if ip.is_global and not ip.is_multicast else "private"


def _kinds_of_host(host: str) -> set[str]:
    """The kinds of all addresses that a host has here; of a name that has none here, what the name says."""
    try:
        return {address_kind(host.strip("[]"))}
    except ValueError:
        pass  # it is a name
    try:
        return {address_kind(str(row[4][0])) for row in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError:
        inside = "." not in host.rstrip(".") or host.rstrip(".").lower().endswith(INSIDE)
        return {"private" if inside else PUBLIC}


class _Guard:
    """Connects to what was typed, and afterwards only to public addresses and to those of its kind."""

    def __init__(self) -> None:
        self.allowed: set[str] = set()
        self.socket: socket.socket | None = None
        self.expired = False

    def connect(self, host: str, port: int, timeout: float | None) -> socket.socket:
        """A connection to the first address of the host that answers; BadFile where none is allowed."""
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        permitted = [row[4] for row in addresses if self._permits(str(row[4][0]))]
        if not permitted:
            kind = address_kind(str(addresses[0][4][0]))
            raise BadFile(f"it redirects to {host}, which is a {kind} address, and such a one was not typed")
        failure: OSError | None = None
        for address in permitted:
            try:
                self.socket = socket.create_connection((str(address[0]), int(address[1])), timeout)
            except OSError as error:
                failure = error
                continue
            self.allowed |= {PUBLIC, address_kind(str(address[0]))}
            return self.socket
        raise failure or OSError(f"{host} has no address")

    def check_host(self, host: str) -> None:
        """BadFile for a host that a proxy shall connect to, where it is of a kind that was not typed."""
        kinds = _kinds_of_host(host)
        if self.allowed and not kinds <= self.allowed:
            kind = min(kinds - self.allowed)
            raise BadFile(f"it redirects to {host}, which is a {kind} address, and such a one was not typed")
        self.allowed |= {PUBLIC, *kinds}

    def _permits(self, address: str) -> bool:
        return not self.allowed or address_kind(address) in self.allowed

    def close(self) -> None:
        """Break the connection off, whoever waits for it: the time is over."""
        self.expired = True
        if self.socket is not None:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)


class _Plain(HTTPConnection):
    def __init__(self, host: str, *, guard: _Guard, **settings: Any) -> None:
        super().__init__(host, **settings)
        self.guard = guard

    def connect(self) -> None:
        self.sock = self.guard.connect(self.host, self.port, self.timeout)


class _Secure(HTTPSConnection):
    def __init__(self, host: str, *, guard: _Guard, tls: ssl.SSLContext, **settings: Any) -> None:
        super().__init__(host, context=tls, **settings)
        self.guard = guard
        self.tls = tls

    def connect(self) -> None:
        plain = self.guard.connect(self.host, self.port, self.timeout)
        self.sock = self.tls.wrap_socket(plain, server_hostname=self.host)
        self.guard.socket = self.sock


class _PlainHandler(HTTPHandler):
    def __init__(self, guard: _Guard) -> None:
        super().__init__()
        self.guard = guard

    def http_open(self, req: Request) -> Any:
        if _is_proxied(req):
            self.guard.check_host(urlsplit(req.full_url).hostname or "")
            return super().http_open(req)
        return self.do_open(partial(_Plain, guard=self.guard), req)


class _SecureHandler(HTTPSHandler):
    def __init__(self, guard: _Guard) -> None:
        self.tls = ssl.create_default_context()
        super().__init__(context=self.tls)
        self.guard = guard

    def https_open(self, req: Request) -> Any:
        if _is_proxied(req):
            self.guard.check_host(urlsplit(req.full_url).hostname or "")
            return super().https_open(req)
        return self.do_open(partial(_Secure, guard=self.guard, tls=self.tls), req)


def _is_proxied(request: Request) -> bool:
    """Whether a proxy of the environment makes the connection."""
    return request.host != urlsplit(request.full_url).netloc


class _Redirects(HTTPRedirectHandler):
    """Follows a few redirects to http(s), never from https to http."""

    max_redirections = 5

    def http_error_302(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message) -> Any:
        where = headers.get("location") or headers.get("uri") or ""
        scheme = urlsplit(where).scheme.lower() or req.type
        if scheme not in ("http", "https"):
            raise BadFile(f"it redirects to {where}, which is no http or https address")
        if req.type == "https" and scheme == "http":
            raise BadFile(f"it redirects to {where}, which is not encrypted")
        return super().http_error_302(req, fp, code, msg, headers)  # type: ignore[arg-type]

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


@contextmanager
def _answer(url: str, guard: _Guard, limits: FetchLimits) -> Iterator[Any]:
    """The server's answer, broken off when its time is over; every failure as a sentence about the address."""
    clock = Timer(limits.seconds, guard.close)
    clock.daemon = True
    clock.start()
    opener = build_opener(_PlainHandler(guard), _SecureHandler(guard), _Redirects)
    try:
        request = Request(_ascii(url), headers={"User-Agent": "zoo", "Accept-Encoding": "identity"})
        with opener.open(request, timeout=limits.silence) as answer:
            yield answer
    except BadFile as error:
        raise error if url in error.message else BadFile(f"{url} was not read: {error.message}") from error
    except HTTPError as error:
        kind = BadFile if 300 <= error.code < 500 else NetworkError
        raise kind(f"{url} cannot be had: the server answers {error.code} {error.reason}") from error
    except (OSError, HTTPException, ValueError) as error:
        if guard.expired:
            raise _too_slow(url, limits) from error
        raise NetworkError(f"{url} cannot be reached: {_reason(error)}", hint="try again, or name a file") from error
    finally:
        clock.cancel()


SAVE_IT: Final = "save the file yourself, and name its path"


def _ascii(url: str) -> str:
    """The address without its fragment, other letters escaped as a browser does."""
    return quote(url.partition("#")[0], safe="!#$%&'()*+,/:;=?@[]~")


def _too_large(url: str, limits: FetchLimits) -> BadFile:
    return BadFile(f"{url} is larger than {limits.bytes / 1e6:,.0f} MB", hint=SAVE_IT)


def _too_slow(url: str, limits: FetchLimits) -> NetworkError:
    return NetworkError(f"{url} did not arrive within {limits.seconds:g} s", hint=SAVE_IT)


def _suffix(url: str, headers: Message) -> str:
    """The suffix of the address where it is one that is known, else that of the server's content type."""
    suffix = Path(urlsplit(url).path).suffix.lower()
    known = mimetypes.guess_type(f"x{suffix}")[0] is not None or suffix in (".jsonl", ".ndjson", ".npy")
    return suffix if suffix and known else mimetypes.guess_extension(headers.get_content_type()) or ""


def _reason(error: BaseException) -> str:
    inner = error.reason if isinstance(error, URLError) else error
    if isinstance(inner, ssl.SSLCertVerificationError):
        return f"its certificate cannot be trusted: {inner.verify_message}"
    if isinstance(inner, TimeoutError):
        return "the server fell silent"
    return str(inner) or type(inner).__name__
