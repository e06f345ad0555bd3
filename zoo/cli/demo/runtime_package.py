"""ONNX Runtime Web for `zoo demo` and for the sandbox: what the user names, else a download kept in the cache."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from zoo.api.errors import BadFile, MissingExtra, NetworkError
from zoo.bundle.demo.runtime_package import ABOUT, ARCHIVE, SCRIPT, SHA256, VERSION, WASM, RuntimePackage, read_package
from zoo.bundle.engines.chromium import find_browser
from zoo.cli.terminal.output import Output
from zoo.cli.terminal.progress import ProgressLine
from zoo.runs.atomic import write_directory
from zoo.runs.cache import cache_root
from zoo.runs.checkpoints import file_sha256
from zoo.runs.scratch import ScratchFolder

BY_HAND = f"npm pack onnxruntime-web@{VERSION}, then zoo demo … --onnxruntime-web {ARCHIVE}"
MAX_SECONDS = 600.0
"""For npm to give the archive of 33 MB."""
MIN_NODE = (20, 12)
"""Of Node, as the bundle's own runner in JavaScript needs it."""


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


def node_package() -> Path:
    """The folder of the package, unpacked in the cache, for the runtime `onnxruntime-web`.

    MissingExtra where Node is missing or too old, NetworkError where the package cannot be had.
    """
    check_node()
    return _unpacked()


def chromium_package() -> Path:
    """The same folder for the runtime `onnxruntime-web-chromium`; MissingExtra where no Chromium is installed."""
    if find_browser() is None:
        raise MissingExtra(
            "the runtime onnxruntime-web-chromium runs in Chromium, and neither chromium nor google-chrome is "
            "installed here",
            hint="install one (apt install chromium), or name the file of one in CHROME_PATH",
        )
    return _unpacked()


def _unpacked() -> Path:
    folder = cache_root() / "npm" / f"onnxruntime-web-{VERSION}-{SHA256[:16]}"
    if not (folder / ABOUT).is_file():
        package = read_package(_kept())
        parts = {SCRIPT: package.script, WASM: package.wasm, ABOUT: b"{}\n"}

        def fill(beside: Path) -> None:
            for name, raw in parts.items():
                (beside / name).parent.mkdir(exist_ok=True)
                (beside / name).write_bytes(raw)

        write_directory(folder, fill, overwrite=True)
    return folder


def check_node() -> None:
    """MissingExtra where the command `node` is missing, or older than what the JavaScript of zoo needs."""
    needed = ".".join(map(str, MIN_NODE))
    hint = f"install Node {needed} or newer: https://nodejs.org, or apt install nodejs npm"
    node = shutil.which("node")
    if node is None:
        raise MissingExtra(
            "the runtime onnxruntime-web runs in Node, and the command node is not installed here", hint=hint
        )
    try:
        said = subprocess.run(
            [node, "--version"], capture_output=True, text=True, check=True, timeout=30
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        raise MissingExtra(f"{node} does not tell its version: {error}", hint=hint) from error
    version = re.match(r"v(\d+)\.(\d+)", said)
    if version is None or (int(version[1]), int(version[2])) < MIN_NODE:
        raise MissingExtra(
            f"the runtime onnxruntime-web needs Node {needed}, and {node} is {said or 'of no version'}", hint=hint
        )


def _kept() -> Path:
    path = cache_root() / "npm" / ARCHIVE
    if path.exists() and file_sha256(path) != SHA256:
        raise BadFile(f"{path} was changed: it is not the archive that npm publishes", hint=f"remove {path}")
    if path.exists():
        return path
    if os.environ.get("ZOO_OFFLINE", "") not in ("", "0"):
        raise NetworkError(
            f"onnxruntime-web {VERSION} is not in the cache, and ZOO_OFFLINE is set",
            hint=BY_HAND,
        )
    mirror = os.environ.get("ZOO_MIRROR", "").rstrip("/")
    if not mirror:
        return _packed(path)
    from zoo.models.weights.download import download  # noqa: PLC0415  a network client, rarely needed

    address = mirror if "://" in mirror else Path(mirror).absolute().as_uri()
    line = ProgressLine(f"downloading onnxruntime-web {VERSION}", unit="bytes")
    try:
        download(f"{address}/npm/{ARCHIVE}", path, sha256=SHA256, progress=line)
    finally:
        line.close()
    return path


def _packed(path: Path) -> Path:
    """Put the archive where the user's own npm finds it, in whatever registry that is set to, into the cache."""
    npm = shutil.which("npm")
    if npm is None:
        raise NetworkError("zoo asks npm for onnxruntime-web, and npm is not installed here", hint=BY_HAND)
    with ScratchFolder.make() as scratch:
        command = [npm, "pack", f"onnxruntime-web@{VERSION}", "--ignore-scripts", "--silent"]
        try:
            subprocess.run(command, cwd=scratch.path, check=True, capture_output=True, text=True, timeout=MAX_SECONDS)
        except (OSError, subprocess.SubprocessError) as error:
            said = str(getattr(error, "stderr", "") or error).strip().splitlines()
            raise NetworkError(f"npm did not give onnxruntime-web {VERSION}: {said[-1]}", hint=BY_HAND) from error
        packed = scratch.path / ARCHIVE
        if not packed.is_file() or file_sha256(packed) != SHA256:
            raise BadFile(
                f"npm gave another onnxruntime-web {VERSION} than was expected: its sha256 is not {SHA256}",
                hint="look at the registry that npm is set to: npm config get registry",
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(packed, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)
    return path
