"""The npm package onnxruntime-web, read from its archive or from its folder: what a page holds of it."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zoo.api.errors import BadFile

VERSION: Final = "1.30.0"
"""The one that the pages are tested with."""
ARCHIVE: Final = f"onnxruntime-web-{VERSION}.tgz"
"""As `npm pack` names it."""
SHA256: Final = "d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71"
"""Of the archive."""
SCRIPT, WASM, ABOUT = "dist/ort.wasm.bundle.min.mjs", "dist/ort-wasm-simd-threaded.wasm", "package.json"
LICENCE: Final = Path(__file__).with_name("onnxruntime-web-licence.txt")
MAX_BYTES: Final = 256 << 20
"""Of one file; the largest has 14 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimePackage:
    """The parts of onnxruntime-web that run a graph in one thread."""

    version: str
    script: bytes
    wasm: bytes

    @property
    def licence(self) -> str:
        """The text of its licence, which the archive does not hold."""
        return LICENCE.read_text(encoding="utf-8")


def read_package(path: Path) -> RuntimePackage:
    """The package from an archive of npm (.tgz) or from a folder that holds it; BadFile where it is none."""
    try:
        if path.is_dir():
            inside = path / "node_modules" / "onnxruntime-web"
            folder = inside if inside.is_dir() else path
            return _package(lambda name: (folder / name).read_bytes(), path)
        with tarfile.open(path, "r:gz") as archive:
            return _package(lambda name: _member(archive, f"package/{name}"), path)
    except (OSError, EOFError, tarfile.TarError, KeyError) as error:
        reason = "has no " + str(error).partition("'")[2].rstrip("'\"") if isinstance(error, KeyError) else str(error)
        raise BadFile(
            f"{path} is not the npm package onnxruntime-web: {reason}",
            hint="give its .tgz as `npm pack onnxruntime-web` saves it, or the folder node_modules/onnxruntime-web",
        ) from error


def _package(read: Callable[[str], bytes], path: Path) -> RuntimePackage:
    try:
        about = json.loads(read(ABOUT))
        name, version = about["name"], str(about["version"])
    except (ValueError, TypeError, KeyError) as error:
        raise BadFile(f"{path} is not the npm package onnxruntime-web: its {ABOUT} cannot be read") from error
    if name != "onnxruntime-web":
        raise BadFile(f"{path} is the npm package {name}, not onnxruntime-web")
    return RuntimePackage(version=version, script=read(SCRIPT), wasm=read(WASM))


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.getmember(name)
    file = archive.extractfile(member)
    if file is None or member.size > MAX_BYTES:
        raise BadFile(f"{name} of the archive is no file of a sensible size")
    return file.read()
