"""Checkpoints on disk: complete or absent, newest valid found, never a pickle that runs code.

    checkpoints/step-938/{model.safetensors, state.pt, MANIFEST.json}
    checkpoints/{last,best}.json
    checkpoints/aside/step-…          what could not be read when the training was resumed

A checkpoint is written beside its place, its manifest last, and renamed.  This file is torch-free; whoever writes or
reads the two tensor files brings torch.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import Path
from typing import Final, Literal

from zoo.api.errors import BadFile, HashMismatch
from zoo.runs.atomic import disk_errors, leftovers, remove, sync, write_directory, write_json
from zoo.runs.serialization import from_json, to_json

SCHEMA: Final = 1
MODEL: Final = "model.safetensors"
STATE: Final = "state.pt"
MANIFEST: Final = "MANIFEST.json"
ASIDE: Final = "aside"
"""The folder of checkpoints that a training was not resumed from and that nothing may replace."""
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

    def verify(self, *, resumable: bool = True) -> None:
        """HashMismatch unless every file, or without `resumable` the weights, has the bytes that the manifest names."""
        for name, record in _needed(self.manifest, resumable=resumable).items():
            try:
                digest = file_sha256(self.path / name)
            except OSError as error:
                raise BadFile(f"{self.path / name} cannot be read: {error.strerror}") from error
            if digest != record.sha256:
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
        readers = (directory / MANIFEST).stat().st_mode & 0o777  # as the umask has it; safetensors writes for the owner
        for name in files:
            (directory / name).chmod(readers)

    path = folder / f"step-{step}"
    write_directory(path, complete, overwrite=True)
    return open_checkpoint(path)


def open_checkpoint(path: Path, *, resumable: bool = True) -> Checkpoint:
    """The checkpoint in a directory, sizes compared; BadFile when it is torn or of a newer schema.

    Without `resumable` the weights alone must be whole: an evaluation or an export needs nothing else.
    """
    file = path / MANIFEST
    try:
        data = json.loads(file.read_bytes())
    except FileNotFoundError as error:
        raise BadFile(f"{path} is not a complete checkpoint: it has no {MANIFEST}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise BadFile(f"{path} is not a complete checkpoint: {error}") from error
    if isinstance(data, dict) and isinstance(data.get("schema"), int) and data["schema"] > SCHEMA:
        raise BadFile(f"{file} was written by a newer zoo (schema {data['schema']})", hint="update zoo")
    manifest = from_json(Manifest, data, where=str(file))
    for name, record in _needed(manifest, resumable=resumable).items():
        part = path / name
        if not part.is_file() or part.stat().st_size != record.size:
            raise BadFile(f"{part} is missing or has not the {record.size} bytes its manifest names")
    return Checkpoint(path=path, manifest=manifest)


def _needed(manifest: Manifest, *, resumable: bool) -> Mapping[str, FileRecord]:
    return {name: record for name, record in manifest.files.items() if resumable or name == MODEL}


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


def newest(folder: Path, *, verify: bool = True, resumable: bool = True) -> Found:
    """The newest valid checkpoint, walking back over damaged ones and saying so; BadFile when there is none."""
    return _first(folder, _newest_first(folder), verify=verify, resumable=resumable)


def best(folder: Path, *, verify: bool = True) -> Found:
    """The checkpoint that best.json names, its weights whole, else the newest one with whole weights, saying so."""
    name = pointed(folder, "best")
    notes: tuple[str, ...] = ()
    if name is None and (folder / "best.json").exists():
        notes = (f"{folder / 'best.json'} cannot be read, so the newest checkpoint stands for the best",)
    others = [path for path in _newest_first(folder) if path.name != name]
    found = _first(folder, [folder / name, *others] if name else others, verify=verify, resumable=False)
    return replace(found, notes=(*notes, *found.notes))


def _first(folder: Path, candidates: list[Path], *, verify: bool, resumable: bool) -> Found:
    notes: list[str] = []
    for path in candidates:
        try:
            checkpoint = open_checkpoint(path, resumable=resumable)
            if verify:
                checkpoint.verify(resumable=resumable)
        except (BadFile, HashMismatch) as error:
            notes.append(f"passed over {path.name}: {error.message}")
            continue
        return Found(checkpoint=checkpoint, notes=tuple(notes))
    raise BadFile("; ".join(notes) or f"there is none in {folder}")


def present(folder: Path) -> tuple[Path, ...]:
    """The directories of all checkpoints, whole or not, the newest first."""
    return tuple(_newest_first(folder))


def _newest_first(folder: Path) -> list[Path]:
    steps = [(step, path) for path in folder.glob("step-*") if (step := _step(path)) is not None]
    return [path for _, path in sorted(steps, reverse=True)]


def _step(path: Path) -> int | None:
    digits = path.name.removeprefix("step-")
    return int(digits) if path.name.startswith("step-") and digits.isdecimal() else None


def prune(folder: Path, *, batches: int) -> None:
    """Remove the checkpoints that are no longer needed, so that a run ends with the same ones however it was stopped.

    Kept are the newest two, the newest at the end of an epoch, and those that last.json and best.json name; one
    within an epoch (of so many batches) goes as soon as a later epoch has its own.
    """
    paths = _newest_first(folder)
    epochs = [path for path in paths if not _is_within_epoch(path, batches)]
    newer = [path for path in paths if path in epochs or not epochs or _step_of(path) > _step_of(epochs[0])]
    kept = {path.name for path in (*newer[:2], *epochs[:1])}
    kept |= {name for name in (pointed(folder, "last"), pointed(folder, "best")) if name}
    with disk_errors(folder):
        for path in paths:
            if path.name not in kept:
                remove(path)


def _step_of(path: Path) -> int:
    return _step(path) or 0


def _is_within_epoch(path: Path, batches: int) -> bool:
    try:
        manifest = open_checkpoint(path, resumable=False).manifest
    except BadFile:
        return False
    return manifest.step > manifest.epoch * batches


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """A checkpoint from which no training can go on."""

    path: Path
    reason: str
    weights: bool
    """Whether its weights are whole, so that it can be evaluated and exported."""


def damaged(folder: Path) -> tuple[Damaged, ...]:
    """Every checkpoint from which no training can go on, the newest first."""
    return tuple(broken for path in _newest_first(folder) if (broken := _damage(path)))


def _damage(path: Path) -> Damaged | None:
    try:
        open_checkpoint(path).verify()
    except (BadFile, HashMismatch) as error:
        try:
            open_checkpoint(path, resumable=False).verify(resumable=False)
        except (BadFile, HashMismatch):
            return Damaged(path=path, reason=error.message, weights=False)
        return Damaged(path=path, reason=error.message, weights=True)
    return None


def set_aside(path: Path) -> Path:
    """Move a checkpoint to the folder `aside` beside it, where nothing replaces or removes it; its new place."""
    folder = path.parent / ASIDE
    with disk_errors(folder):
        folder.mkdir(exist_ok=True)
        names = chain([path.name], (f"{path.name}-{number}" for number in count(2)))
        target = next(place for name in names if not (place := folder / name).exists())
        path.rename(target)
    return target


def sweep(folder: Path) -> None:
    """Remove what a killed process left half-written; only for the one process that owns the run."""
    for leftover in leftovers(folder):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)
