"""A page of headless Chromium, asked over a pipe by its DevTools protocol: no port is opened, no network needed."""

from __future__ import annotations

import json
import os
import shutil
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
"""Commands, the first that is installed is taken."""
OPTIONS: Final = (
    "--headless=new", "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check", "--no-sandbox",
    "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
    "--disable-extensions", "--disable-sync", "--no-zygote", "about:blank",
)  # fmt: skip
"""Its own sandbox needs what zoo's has taken away."""
PART: Final = 12 << 20
"""Bytes of a file that go through the pipe at once, whose messages are limited."""
HIGH: Final = 10
"""The pipe's ends are first moved out of the way of 3 and 4, where Chromium expects them."""


def find_browser() -> str | None:
    """The path of Chromium or Chrome, that of CHROME_PATH first; None where none is installed."""
    named = (os.environ.get("CHROME_PATH", ""), *BROWSERS)
    return next((path for name in named if name and (path := shutil.which(name))), None)


class Page:
    """An empty page with what `script` defines as `zoo`."""

    def __init__(self, browser: str, folder: Path, script: str) -> None:
        self.number, self.pending = 0, b""
        self.reading, self.writing = self._start(browser, folder)
        targets = self._ask("Target.getTargets")["targetInfos"]
        target = next(target["targetId"] for target in targets if target["type"] == "page")
        self.session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._ask("Runtime.evaluate", expression=script)

    def call(self, function: str, **arguments: Any) -> dict[str, Any]:
        """What a function of `zoo` gives; RuntimeError with the page's words where it throws."""
        expression = f"zoo.{function}({json.dumps(arguments)})"
        reply = self._ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in reply:
            thrown = reply["exceptionDetails"].get("exception", {})
            words = thrown.get("description") or str(thrown.get("value", reply["exceptionDetails"]["text"]))
            raise RuntimeError(words.partition("\n    at ")[0])
        value: dict[str, Any] = reply["result"]["value"]
        return value

    def put(self, name: str, data: bytes | memoryview) -> None:
        """Give the page a file."""
        for start in range(0, max(len(data), 1), PART):
            self.call("put", name=name, part=b64encode(data[start : start + PART]).decode("ascii"))

    def take(self, name: str, size: int) -> bytes:
        """A file of the page."""
        parts = [self.call("take", name=name, start=start, size=PART)["part"] for start in range(0, size, PART)]
        return b"".join(b64decode(part) for part in parts)

    def _start(self, browser: str, folder: Path) -> tuple[int, int]:
        """The ends of two pipes to a new browser, which ends with them."""
        import fcntl  # noqa: PLC0415  absent on Windows, as is the next
        import resource  # noqa: PLC0415

        ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, HIGH) for _ in range(2) for end in os.pipe()]
        given, writing, reading, answers = ends
        soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))  # its pages are processes of their own: the clock counts
        command = [browser, *OPTIONS, f"--user-data-dir={folder / 'profile'}"]
        actions = [(os.POSIX_SPAWN_DUP2, given, 3), (os.POSIX_SPAWN_DUP2, answers, 4)]
        os.posix_spawn(browser, command, os.environ, file_actions=actions)
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
        os.close(given)
        os.close(answers)
        return reading, writing

    def _ask(self, method: str, **params: Any) -> Mapping[str, Any]:
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if hasattr(self, "session"):
            message["sessionId"] = self.session
        data = memoryview(json.dumps(message).encode() + b"\0")
        while data:
            data = data[os.write(self.writing, data) :]
        while True:
            reply = json.loads(self._message())
            if reply.get("id") == self.number:
                break
        if "error" in reply:
            raise RuntimeError(str(reply["error"]["message"]))
        result: Mapping[str, Any] = reply["result"]
        return result

    def _message(self) -> bytes:
        parts = [self.pending]
        while b"\0" not in parts[-1]:
            part = os.read(self.reading, 1 << 20)
            if not part:
                raise RuntimeError("Chromium ended")
            parts.append(part)
        message, _, self.pending = b"".join(parts).partition(b"\0")
        return message
