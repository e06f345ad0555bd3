"""A hub on this machine: what `huggingface_hub` asks Hugging Face's for, with the answers that a test sets."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class LocalHub:
    """What a test sets, and what it sees afterwards."""

    repositories: Mapping[str, Mapping[str, bytes]]
    """The files of each repository."""
    gated: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    """Repositories whose files have other bytes than their digests say."""
    cut: tuple[str, ...] = ()
    """Repositories whose files break off after 3 bytes."""
    status: int = 0
    """What every request is answered, without the hub's own word for it."""
    login_page: bytes = b""
    """What every request is answered."""
    address: str = ""
    requests: list[str] = field(default_factory=list)

    def answer(self, handler: BaseHTTPRequestHandler, *, body: bool) -> None:
        """One request."""
        path = handler.path.partition("?")[0]
        self.requests.append(f"{handler.command} {path}")
        if self.status:
            _refuse(handler, self.status, "", "")
            return
        if self.login_page:
            _send(handler, self.login_page, "text/html")
            return
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            self._describe(handler, "/".join(parts[2:4]), parts[5:])
        else:
            self._file(handler, "/".join(parts[:2]), "/".join(parts[4:]), body=body)

    def _describe(self, handler: BaseHTTPRequestHandler, name: str, revision: list[str]) -> None:
        files = self.repositories.get(name)
        if files is None:
            _refuse(handler, 404, "RepoNotFound", "Repository not found")
        elif revision and revision[0] not in ("main", COMMIT):
            _refuse(handler, 404, "RevisionNotFound", "Revision not found")
        elif "/tree/" in handler.path:
            _json(handler, [_entry(file, content) for file, content in files.items()])
        else:
            siblings = [{"rfilename": file, "size": len(content)} for file, content in files.items()]
            _json(handler, {"id": name, "modelId": name, "sha": COMMIT, "siblings": siblings})

    def _file(self, handler: BaseHTTPRequestHandler, name: str, file: str, *, body: bool) -> None:
        content = self.repositories.get(name, {}).get(file)
        if name in self.gated:
            _refuse(handler, 403, "GatedRepo", "Access to model is restricted")
        elif name not in self.repositories:
            _refuse(handler, 404, "RepoNotFound", "Repository not found")
        elif content is None:
            _refuse(handler, 404, "EntryNotFound", "Entry not found")
        else:
            digest = hashlib.sha256(content).hexdigest()
            sent = bytes(reversed(content)) if name in self.damaged else content
            handler.send_response(200)
            for header, value in (
                *(("ETag", f'"{digest}"'), ("X-Repo-Commit", COMMIT), ("X-Linked-Etag", f'"{digest}"')),
                *(("X-Linked-Size", str(len(content))), ("Content-Length", str(len(content)))),
            ):
                handler.send_header(header, value)
            handler.end_headers()
            if body:
                handler.wfile.write(sent[:3] if name in self.cut else sent)
                handler.close_connection = name in self.cut


@contextmanager
def running_hub(hub: LocalHub) -> Iterator[LocalHub]:
    """The hub, answering at its `address`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hub.answer(self, body=True)

        def do_HEAD(self) -> None:
            hub.answer(self, body=False)

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    hub.address = f"http://127.0.0.1:{http.server_port}"
    try:
        yield hub
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def _entry(file: str, content: bytes) -> dict[str, object]:
    """A file as the hub lists it."""
    digest = hashlib.sha256(content).hexdigest()
    large = {"oid": digest, "size": len(content), "pointerSize": 128}
    return {"type": "file", "path": file, "size": len(content), "oid": digest[:40], "lfs": large}


def _json(handler: BaseHTTPRequestHandler, value: object) -> None:
    _send(handler, json.dumps(value).encode(), "application/json")


def _send(handler: BaseHTTPRequestHandler, content: bytes, kind: str) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def _refuse(handler: BaseHTTPRequestHandler, status: int, code: str, message: str) -> None:
    handler.send_response(status)
    handler.send_header("X-Error-Code", code)
    handler.send_header("X-Error-Message", message)
    handler.send_header("Content-Length", "0")
    handler.end_headers()
