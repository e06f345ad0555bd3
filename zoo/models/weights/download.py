"""One file over the network: resumed where it broke off, its hash checked, and there only when it is whole.

Beside the file lie `.part`, what has arrived so far, and `.lock`, which makes a second process wait and then find
the file.  The lock goes with its process, so a killed download blocks nobody, and its part is taken up again.
"""

from __future__ import annotations

import shutil
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from filelock import FileLock

from zoo.api.errors import DiskError, HashMismatch, NetworkError
from zoo.api.task import Progress
from zoo.runs.atomic import disk_errors, sync
from zoo.runs.checkpoints import file_sha256

CHUNK: Final = 1 << 20
PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP answers after which trying again makes sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for a server."""

    timeout: float = 30.0
    """Seconds of silence after which a connection counts as broken."""
    attempts: int = 5
    """Tries in a row that may add no bytes."""
    pause: float = 1.0
    """Seconds before the second try; doubled before each further one."""


class _Interrupted(Exception):
    """The connection broke; another try may go on from where it did."""


class _SafeRedirects(HTTPRedirectHandler):
    """Follows redirects, but never from https to http."""

    def redirect_request(  # noqa: PLR0917  urllib's own signature
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> Request | None:
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            raise NetworkError(f"{req.full_url} redirects to {newurl}, which is not encrypted")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def download(url: str, path: Path, *, sha256: str, progress: Progress, patience: Patience | None = None) -> None:
    """The file at `url` as `path`, whole and with a hash that begins with `sha256`.

    NetworkError when it does not arrive, HashMismatch when other bytes do, DiskError when they do not fit.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):
            if not path.exists():
                part = path.with_name(f"{path.name}.part")
                _complete(url, part, path=path, sha256=sha256, progress=progress, patience=patience or Patience())
                sync(part)
                part.replace(path)
                sync(path.parent)


def check_reachable(url: str, *, timeout: float = 10.0) -> None:
    """NetworkError where the server does not give the file; nothing but the head of the answer is read."""
    try:
        with _open(url, start=0, part=Path(), timeout=timeout):
            return
    except _Interrupted as error:
        raise NetworkError(
            f"{url} cannot be reached: {error}", hint="set ZOO_MIRROR to a server that you can reach"
        ) from error


def _complete(url: str, part: Path, *, path: Path, sha256: str, progress: Progress, patience: Patience) -> None:
    """Fill the part until its hash is right; a part that was put together wrongly is downloaded again, once."""
    if part.exists() and file_sha256(part).startswith(sha256):
        return
    for _ in range(2):
        pieced = _fetch(url, part, path=path, progress=progress, patience=patience)
        digest = file_sha256(part)
        if digest.startswith(sha256):
            return
        part.unlink()
        if not pieced:
            break
    raise HashMismatch(
        f"{url} has sha256 {digest[: max(len(sha256), 16)]}…, and {sha256}… was expected",
        hint="the server, the mirror or something on the way changed the file; nothing was kept",
    )


def _fetch(url: str, part: Path, *, path: Path, progress: Progress, patience: Patience) -> bool:
    """Receive everything, trying again after breaks; True when the part holds bytes of more than one answer."""
    failures, most = 0, _size(part)
    while True:
        try:
            return _receive(url, part, progress=progress, timeout=patience.timeout)
        except _Interrupted as error:
            failures = 0 if _size(part) > most else failures + 1
            most = max(most, _size(part))
            if failures >= patience.attempts:
                raise NetworkError(
                    f"{url} did not arrive after {failures} tries: {error}",
                    hint=f"set ZOO_MIRROR to a server you can reach, or copy the file to {path}",
                ) from error
            time.sleep(patience.pause * 2 ** max(failures - 1, 0))


def _receive(url: str, part: Path, *, progress: Progress, timeout: float) -> bool:
    """One request; True when the server went on from where the part ends, False when it began anew."""
    start = _size(part)
    with _open(url, start=start, part=part, timeout=timeout) as answer:
        goes_on: bool = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        done = start if goes_on else 0
        length = answer.headers.get("Content-Length")
        total = done + int(length) if length and length.isdecimal() else 0
        _check_room(part, total - done)
        with part.open("ab" if goes_on else "wb") as file:
            while chunk := _read(answer):
                file.write(chunk)
                done += len(chunk)
                progress(done, max(total, done))
    if done < total:
        raise _Interrupted(f"the connection closed after {done} of {total} bytes")
    return goes_on


def _open(url: str, *, start: int, part: Path, timeout: float) -> Any:
    headers = {"User-Agent": "zoo", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        return build_opener(_SafeRedirects).open(Request(url, headers=headers), timeout=timeout)
    except HTTPError as error:
        if error.code == 416:
            part.unlink()
            raise _Interrupted("the server has fewer bytes than arrived earlier") from error
        if error.code in PASSING:
            raise _Interrupted(f"the server answers {error.code} {error.reason}") from error
        raise NetworkError(f"{url} cannot be had: the server answers {error.code} {error.reason}") from error
    except URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise NetworkError(f"{url} cannot be trusted: {error.reason.verify_message}") from error
        raise _Interrupted(_reason(error.reason)) from error
    except (OSError, HTTPException) as error:
        raise _Interrupted(_reason(error)) from error


def _read(answer: Any) -> bytes:
    try:
        chunk: bytes = answer.read(CHUNK)
    except (OSError, HTTPException) as error:
        raise _Interrupted(_reason(error)) from error
    return chunk


def _reason(error: object) -> str:
    return "the server fell silent" if isinstance(error, TimeoutError) else str(error) or type(error).__name__


def _size(part: Path) -> int:
    with suppress(FileNotFoundError):
        return part.stat().st_size
    return 0


def _check_room(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise DiskError(
            f"{part.parent} has {free / 1e6:,.0f} MB free, and the download needs {needed / 1e6:,.0f} MB",
            hint="make room, or set ZOO_CACHE to a folder on another disk",
        )
