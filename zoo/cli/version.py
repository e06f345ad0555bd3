"""`zoo --version`: one line for people, or with --json what a report of a fault needs to say about an installation."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from zoo.cli.terminal.output import Output
from zoo.registry.discovery import installed_candidates

DISTRIBUTIONS: Final = (
    *("torch", "torchvision", "onnx", "onnxruntime", "onnxscript", "lightning-fabric"),
    *("numpy", "pillow", "timm", "transformers", "openvino"),
)
"""What results depend on; the last three are extras."""
FLAGS: Final = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimd", "asimddp")
"""Of the CPU's instructions, those that decide how fast and in which order kernels compute."""
SETTINGS: Final = ("ZOO_", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")
"""Beginnings of the names of environment variables that change what zoo does; their values may hold paths."""


def print_version(*, as_json: bool) -> None:
    """Print one line, or leave the document."""
    out = Output(as_json=as_json)
    out.line(f"zoo, version {_version('edgezoo')}")
    out.document(installation())


def installation() -> dict[str, object]:
    """Versions, machine and plugins, without a path and without importing any of them."""
    return {
        "schema": 1,
        "version": _version("edgezoo"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "distributions": {name: number for name in DISTRIBUTIONS if (number := _version(name))},
        "plugins": {item.name: f"{item.distribution} {item.version}" for item in installed_candidates()},
        "settings": sorted(name for name in os.environ if name.startswith(SETTINGS)),
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _cpu() -> dict[str, object]:
    """Its name and those of `FLAGS` that it has; empty where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = (facts.get("flags") or facts.get("Features") or "").split()
    return {"name": facts.get("model name", ""), "flags": [flag for flag in FLAGS if flag in flags]}
