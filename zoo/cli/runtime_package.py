"""ONNX Runtime Web for the pages of `zoo demo`: what the user names, else a download that is kept in the cache."""

from __future__ import annotations

import os
from pathlib import Path

from zoo.api.errors import BadFile, NetworkError
from zoo.bundle.demo.runtime_package import SHA256, URL, VERSION, RuntimePackage, read_package
from zoo.cli.output import Output
from zoo.cli.progress import ProgressLine
from zoo.models.weights.published import mirrored
from zoo.runs.cache import cache_root
from zoo.runs.checkpoints import file_sha256

BY_HAND = f"npm pack onnxruntime-web@{VERSION}, then zoo demo … --onnxruntime-web onnxruntime-web-{VERSION}.tgz"


def runtime_package(out: Output, path: Path | None) -> RuntimePackage:
    """The package at a path; None downloads the tested version once, its hash checked each time."""
    if path is None:
        return read_package(_kept())
    if not path.exists():
        raise BadFile(f"{path} does not exist", hint=BY_HAND)
    package = read_package(path)
    if package.version != VERSION:
        out.note(f"{path} is onnxruntime-web {package.version}; pages are tested with {VERSION}")
    return package


def _kept() -> Path:
    path = cache_root() / "npm" / f"onnxruntime-web-{VERSION}.tgz"
    if path.exists() and file_sha256(path) != SHA256:
        raise BadFile(f"{path} was changed: it is not the archive that npm publishes", hint=f"remove {path}")
    if path.exists():
        return path
    if os.environ.get("ZOO_OFFLINE", "") not in ("", "0"):
        raise NetworkError(
            f"onnxruntime-web {VERSION} is not in the cache, and ZOO_OFFLINE is set",
            hint=BY_HAND,
        )
    from zoo.models.weights.download import download  # noqa: PLC0415  a network client, rarely needed

    line = ProgressLine(f"downloading onnxruntime-web {VERSION}", unit="bytes")
    try:
        download(mirrored(URL), path, sha256=SHA256, progress=line)
    finally:
        line.close()
    return path
