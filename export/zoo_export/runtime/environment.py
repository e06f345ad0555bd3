"""Where a proof was made."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import onnx
import torch

from zoo.bundle.judge.evidence import Environment
from zoo.bundle.sandbox.runtime import Runtime


def environment(runtime: Runtime) -> Environment:
    """This machine and these versions; the runtime's are asked of its own process."""
    inside = runtime.versions()
    return Environment(
        zoo=_zoo(),
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        cpu=_cpu(),
        onnxruntime=inside.get("onnxruntime", "not used"),
        numpy=np.__version__,
        provider=provider_of(runtime),
        threads=runtime.threads,
        sandbox=runtime.in_words(),
        onnx=onnx.__version__,
        torch=torch.__version__,
    )


def provider_of(runtime: Runtime) -> str:
    """What executes the graphs: of another runtime than the reference its name and version as well."""
    if runtime.installed.is_reference:
        return runtime.provider()
    return f"{runtime.title} {runtime.versions()[runtime.engine]}, {runtime.provider()}"


def _zoo() -> str:
    try:
        return version("edgezoo")
    except PackageNotFoundError:
        return "not installed"


def _cpu() -> str:
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    return f"{model}, {torch.backends.cpu.get_cpu_capability()}, {os.cpu_count()} cores"
