"""Pickled checkpoints (.pth, .pt, .bin, .ckpt) as safetensors: converted once, in a sandboxed process; torch-free."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from zoo.api.errors import BadFile, SandboxError
from zoo.models.weights.cached import HASH, converted_folder
from zoo.runs.atomic import disk_errors
from zoo.runs.checkpoints import file_sha256

WORKER: Final = "zoo.models.weights.pickle_worker"
BASE_MEMORY_MB: Final = 16_384
"""Address space for PyTorch itself."""
CPU_SECONDS: Final = 600
ANYWAY: Final = (
    "where it was made, save the parameters alone: torch.save(model.state_dict(), 'weights.pth'); or, if you trust the "
    "file, load it there with weights_only=False first"
)


def as_safetensors(source: Path) -> Path:
    """The tensors of a checkpoint as a safetensors file in the cache; BadFile where it holds none, or asks for code."""
    digest = file_sha256(source)
    path = converted_folder() / f"{digest}.safetensors"
    mark = path.with_suffix(HASH)
    if path.is_file() and mark.is_file() and mark.read_text() == file_sha256(path):
        return path
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.stem}.{os.getpid()}.part")
        try:
            _convert(source, part)
            mark.write_text(file_sha256(part))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return path


def _convert(source: Path, output: Path) -> None:
    megabytes = source.stat().st_size >> 20
    settings = {
        "source": str(source.resolve()),
        "output": str(output.absolute()),
        "memory_mb": BASE_MEMORY_MB + 6 * megabytes,
        "cpu_seconds": CPU_SECONDS,
    }
    # the folder of the working directory is no place to import from
    command = [sys.executable, "-P", "-m", WORKER, json.dumps(settings)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=2 * CPU_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise SandboxError(f"reading {source} took longer than {2 * CPU_SECONDS} s and was stopped") from None
    lines = done.stdout.decode(errors="replace").splitlines()
    if done.returncode or not lines:
        code = done.returncode
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise SandboxError(f"reading {source} failed: its process {how}{''.join(f' ({line})' for line in last)}")
    reply = json.loads(lines[-1])
    if "error" in reply:
        raise _refusal(source, reply["error"], reply["message"])


def _refusal(source: Path, kind: str, message: str) -> BadFile:
    match kind:
        case "code":
            wants = f" (it asks for {message})" if message else ""
            return BadFile(f"{source} holds more than tensors{wants}, and zoo runs no code from files", hint=ANYWAY)
        case "torchscript":
            return BadFile(f"{source} is a TorchScript program, and zoo runs no code from files", hint=ANYWAY)
        case "empty":
            return BadFile(f"{source} is not a state_dict: {message}", hint=ANYWAY)
        case "odd":
            return BadFile(f"{source} cannot be taken for weights: {message}", hint="save plain dense tensors")
        case _:
            return BadFile(f"{source} is not a readable file of tensors: {message}")
