"""What a run remembers of where it was made: versions, machine, git state."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import torch

from zoo.api.data import DataCard
from zoo.api.problem import Problem
from zoo.api.specs import ModelSpec
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs import run as runs
from zoo.runs.config_changes import deciding
from zoo.runs.run import DataRecord, RunRecord
from zoo.runs.train_config import TrainConfig


def new_record(
    entry: RegistryEntry[ModelSpec], config: TrainConfig, argv: Sequence[str], *, replaces: str = ""
) -> RunRecord:
    """What run.json says while the training goes on."""
    return RunRecord(
        status="running",
        created=runs.now(),
        argv=tuple(argv),
        model=entry.full_name,
        task=entry.spec.task,
        seeds={"seed": config.seed},
        versions=versions(entry),
        git=_git(),
        host=socket.gethostname(),
        pid=os.getpid(),
        config=deciding(config),
        replaces=replaces,
    )


def data_record(card: DataCard, problem: Problem) -> DataRecord:
    """What data.json says."""
    return DataRecord(
        source=card.source.request.source,
        format=card.source.format,
        fingerprint=card.fingerprint,
        counts=card.counts(),
        classes=card.classes,
        notes=card.notes,
        problem=problem,
    )


def versions(entry: RegistryEntry[ModelSpec]) -> dict[str, str]:
    """Of everything that a result depends on, the plugin and the CPU's vector instructions among it."""
    installed = {"python": platform.python_version(), "cpu": torch.backends.cpu.get_cpu_capability()}
    for name in ("edgezoo", "torch", "torchvision", "lightning-fabric"):
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            continue
    return {**installed, entry.plugin.name: entry.plugin.version}


def _git() -> dict[str, str | bool] | None:
    """Commit of the working directory and whether it had changes; None outside a repository or without git."""
    try:
        commit = _output_of("git", "rev-parse", "HEAD")
        return {"commit": commit, "dirty": bool(_output_of("git", "status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _output_of(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
