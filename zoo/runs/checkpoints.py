"""Checkpoints on disk: complete or absent, newest valid found, never a pickle that runs code.

    checkpoints/step-938/{model.safetensors, state.pt, MANIFEST.json}
    checkpoints/{last,best}.json

A checkpoint is written beside its place, its manifest last, and renamed.  This file is torch-free; whoever writes or
reads the two tensor files brings torch.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from zoo.api.errors import BadFile, HashMismatch
from zoo.runs.atomic import disk_errors, sync, write_directory, write_json
from zoo.runs.serialization import from_json, to_json

SCHEMA: Final = 1
MODEL: Final = "model.safetensors"
STATE: Final = "state.pt"
MANIFEST: Final = "MANIFEST.json"
Which = Literal["best", "last"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """What proves one file's bytes."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What MANIFEST.json says."""

    schema: int = SCHEMA
    model: str
    """Full name of the model."""
    step: int
    epoch: int
    """Epochs completed."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Validation metrics of these very weights; empty when they were not evaluated."""
    files: Mapping[str, FileRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One complete checkpoint."""

    path: Path
    manifest: Manifest

    @property
    def model(self) -> Path:
        """The weights that are evaluated and exported, as safetensors."""
        return self.path / MODEL

    @property
    def state(self) -> Path:
        """What resuming needs besides; loads with `weights_only=True`."""
        return self.path / STATE

    def verify(self) -> None:
        """HashMismatch unless every file has the bytes that the manifest names."""
        for name, record in self.manifest.files.items():
            if file_sha256(self.path / name) != record.sha256:
                raise HashMismatch(f"{self.path / name} is not the file its manifest names")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A checkpoint, with a sentence for every one that was passed over to find it."""

    checkpoint: Checkpoint
    notes: tuple[str, ...] = ()


def file_sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_checkpoint(
    folder: Path,
    *,
    model: str,
    step: int,
    epoch: int,
    metrics: Mapping[str, float],
    fill: Callable[[Path], None],
) -> Checkpoint:
    """The checkpoint of one step; `fill` writes its tensor files into the directory it is given."""

    def complete(directory: Path) -> None:
        fill(directory)
        files = {}
        for file in sorted(directory.iterdir()):
            sync(file)
            files[file.name] = FileRecord(size=file.stat().st_size, sha256=file_sha256(file))
        manifest = Manifest(model=model, step=step, epoch=epoch, metrics=dict(metrics), files=files)
        write_json(directory / MANIFEST, to_json(manifest))

    path = folder / f"step-{step}"
    write_directory(path, complete, overwrite=True)
    return open_checkpoint(path)


def open_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in a directory, sizes compared; BadFile when it is torn or of a newer schema."""
    file = path / MANIFEST
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise BadFile(f"{path} is not a complete checkpoint: {error}") from error
    if isinstance(data, dict) and isinstance(data.get("schema"), int) and data["schema"] > SCHEMA:
        raise BadFile(f"{file} was written by a newer zoo (schema {data['schema']})", hint="update zoo")
    manifest = from_json(Manifest, data, where=str(file))
    for name, record in manifest.files.items():
        part = path / name
        if not part.is_file() or part.stat().st_size != record.size:
            raise BadFile(f"{part} is missing or has not the {record.size} bytes its manifest names")
    return Checkpoint(path=path, manifest=manifest)


def point(folder: Path, which: Which, checkpoint: Checkpoint) -> None:
    """Make last.json or best.json name this checkpoint."""
    manifest = checkpoint.manifest
    record = {"directory": checkpoint.path.name, "step": manifest.step, "epoch": manifest.epoch}
    write_json(folder / f"{which}.json", {**record, "metrics": dict(manifest.metrics)})


def pointed(folder: Path, which: Which) -> str | None:
    """The directory name that last.json or best.json names; None when there is no such pointer."""
    try:
        name = json.loads((folder / f"{which}.json").read_bytes())["directory"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return name if isinstance(name, str) and _step(Path(name)) is not None and "/" not in name else None


def newest(folder: Path, *, verify: bool = True) -> Found:
    """The newest valid checkpoint, walking back over damaged ones and saying so; BadFile when there is none."""
    return _first(folder, list(_newest_first(folder)), verify=verify)


def best(folder: Path, *, verify: bool = True) -> Found:
    """The checkpoint that best.json names, else the newest valid one, saying so."""
    name = pointed(folder, "best")
    others = [path for path in _newest_first(folder) if path.name != name]
    return _first(folder, [folder / name, *others] if name else others, verify=verify)


def _first(folder: Path, candidates: list[Path], *, verify: bool) -> Found:
    notes: list[str] = []
    for path in candidates:
        try:
            checkpoint = open_checkpoint(path)
            if verify:
                checkpoint.verify()
        except (BadFile, HashMismatch) as error:
            notes.append(f"passed over {path.name}: {error.message}")
            continue
        return Found(checkpoint=checkpoint, notes=tuple(notes))
    raise BadFile("; ".join(notes) or f"there is none in {folder}")


def _newest_first(folder: Path) -> Iterator[Path]:
    steps = [(step, path) for path in folder.glob("step-*") if (step := _step(path)) is not None]
    for _, path in sorted(steps, reverse=True):
        yield path


def _step(path: Path) -> int | None:
    digits = path.name.removeprefix("step-")
    return int(digits) if path.name.startswith("step-") and digits.isdecimal() else None


def prune(folder: Path, *, keep: int) -> None:
    """Remove all but the newest `keep` checkpoints and the ones that last.json and best.json name."""
    kept = {pointed(folder, "last"), pointed(folder, "best")}
    with disk_errors(folder):
        for path in list(_newest_first(folder))[keep:]:
            if path.name not in kept:
                shutil.rmtree(path)


def sweep(folder: Path) -> None:
    """Remove what a killed process left half-written; only for the one process that owns the run."""
    for leftover in (*folder.glob(".*.tmp"), *folder.glob(".*.old")):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)
