"""A package that looks like onnxruntime-web, a few bytes long."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from zoo.bundle.demo.runtime_package import ABOUT, SCRIPT, VERSION, WASM, RuntimePackage

FILES = {
    ABOUT: json.dumps({"name": "onnxruntime-web", "version": VERSION}).encode(),
    SCRIPT: b"export const env = {};\n",
    WASM: b"\0asm",
}
RUNTIME = RuntimePackage(version=VERSION, script=FILES[SCRIPT], wasm=FILES[WASM])


def archive(files: dict[str, bytes]) -> bytes:
    """The .tgz of a package as npm publishes it."""
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz") as tar:
        for name, raw in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(raw)
            tar.addfile(entry, io.BytesIO(raw))
    return memory.getvalue()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The archive on the disk."""
    path = tmp_path / "onnxruntime-web.tgz"
    path.write_bytes(archive(FILES))
    return path
