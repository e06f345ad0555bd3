"""Run directories: everything about one training, readable without torch.

run.json      status, created, argv, seeds, versions, git state, results
config.json   every option resolved, replayable
data.json     fingerprint, classes, counts, and the problem that the model was built for
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import string
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from zoo.api.errors import BadFile, DiskError, OutputExists
from zoo.api.problem import Json, Problem
from zoo.runs.atomic import check_name, disk_errors, remove, write_directory, write_json
from zoo.runs.checkpoints import Found, Which, best, newest, open_checkpoint
from zoo.runs.lock import is_held
from zoo.runs.misspelt import near_outputs
from zoo.runs.notebook import facts_html
from zoo.runs.serialization import from_json, to_json
from zoo.runs.train_config import TrainConfig, check_schema, config_json, read_config

SCHEMA: Final = 2
"""Of run.json and data.json.  In schema 1, of zoo 0.1, an input names its kind by a class; all else is the same."""
Status = Literal["running", "finished", "interrupted", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What run.json holds."""

    schema: int = SCHEMA
    status: Status
    created: str
    """UTC, ISO 8601 with microseconds."""
    argv: tuple[str, ...]
    model: str
    task: str
    seeds: Mapping[str, int]
    versions: Mapping[str, str]
    git: Mapping[str, str | bool] | None = None
    """Commit of the working directory, and whether it had changes; None outside a repository."""
    host: str
    pid: int
    resumed: tuple[str, ...] = ()
    """When the run was taken up again."""
    notes: tuple[str, ...] = ()
    """What a reader of the results must know: an inexact resume, fewer processes."""
    seconds: float = 0.0
    steps: int = 0
    epochs: int = 0
    """Epochs completed."""
    best_epoch: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Validation metrics of the best checkpoint."""
    test: Mapping[str, float] = field(default_factory=dict)
    """Test metrics of the best checkpoint, measured once at the very end."""
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """The 95 % interval of metrics that have one: "validation/top1", "test/top1"."""
    calibration: Mapping[str, float] = field(default_factory=dict)
    """The expected calibration error of a classifier by split."""
    error: str = ""
    config: Mapping[str, Json] = field(default_factory=dict)
    """What of config.json decides the result, as it was when the run began; empty in a run of an older zoo."""
    replaces: str = ""
    """The name of the run beside this one whose place it takes when it has finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRecord:
    """What data.json holds."""

    schema: int = SCHEMA
    source: str
    format: str
    fingerprint: str
    counts: Mapping[str, int]
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problem: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run directory.

    Examples:
        >>> run = zoo.train("cnn", data="digits", epochs=1, limit_train=64, output=Path("run"))
        >>> zoo.Run.open(run.path).status
        'finished'
    """

    path: Path
    """The directory."""
    record: RunRecord
    """run.json: status, times, versions, metrics."""
    config: TrainConfig
    """config.json: every option, resolved."""
    data: DataRecord
    """data.json: fingerprint, classes, counts."""

    def _repr_html_(self) -> str:
        record = self.record
        metrics = [*record.metrics.items(), *((f"test {name}", value) for name, value in record.test.items())]
        facts = [("status", record.status), ("model", self.config.model), ("data", self.config.data)]
        return facts_html(str(self.path), [*facts, *((name, f"{value:.4f}") for name, value in metrics)])

    @classmethod
    def create(
        cls, path: Path, *, record: RunRecord, config: TrainConfig, data: DataRecord, overwrite: bool = False
    ) -> Run:
        """A new run directory, made at once; OutputExists when the place is taken."""
        check_output(path, overwrite=overwrite)
        run = cls(path=path, record=record, config=config, data=data)

        def fill(directory: Path) -> None:
            write_json(directory / "config.json", config_json(config))
            write_json(directory / "data.json", to_json(data))
            write_json(directory / "run.json", to_json(record))
            (directory / "checkpoints").mkdir()

        write_directory(path, fill, overwrite=overwrite)
        return run

    @classmethod
    def open(cls, path: Path) -> Run:
        """The run in a directory; BadFile when it is none, damaged, or of a newer schema."""
        return cls(
            path=path,
            record=from_json(RunRecord, _read(path / "run.json"), where=str(path / "run.json")),
            config=read_config(path),
            data=from_json(DataRecord, _read(path / "data.json"), where=str(path / "data.json")),
        )

    @property
    def status(self) -> Status:
        """As recorded, but "interrupted" for a run whose process was killed."""
        return "interrupted" if self.record.status == "running" and not self._trains() else self.record.status

    def _trains(self) -> bool:
        """Whether a process still works on it; one on another host is believed where no lock can tell."""
        held = is_held(self.path)
        return (self.record.host != socket.gethostname() or _alive(self.record.pid)) if held is None else held

    @property
    def problem(self) -> Problem:
        """The facts that the model was built for."""
        return self.data.problem

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.path / "checkpoints"

    def checkpoint(self, which: Which | str = "best", *, verify: bool = True, resumable: bool = False) -> Found:
        """The best or the newest valid checkpoint of this run's own model, or the one in the directory `which`.

        Its weights are whole; with `resumable` also what a training needs to go on.  BadFile when there is none.
        """
        try:
            found = _find(self.checkpoints, which, verify=verify, resumable=resumable)
        except BadFile as error:
            again = f"--config {self.path}" if self.status == "finished" else f"--resume {self.path}"
            raise BadFile(
                f"the run {self.path} has no valid checkpoint: {error.message}", hint=f"zoo train {again}"
            ) from error
        model = found.checkpoint.manifest.model
        if model != self.config.model:
            raise BadFile(f"{found.checkpoint.path} holds {model}, but the run is of {self.config.model}")
        return found

    def update(self, record: RunRecord) -> Run:
        """The run with another run.json; DiskError where the run is no longer there."""
        self.check_there()
        write_json(self.path / "run.json", to_json(record))
        return replace(self, record=record)

    def check_there(self) -> None:
        """DiskError where the run's folder was moved or removed: nothing of it is written anew at its old place."""
        if not (self.path / "run.json").is_file():
            raise DiskError(
                f"the run {self.path} is gone: it was moved or removed while it was being trained",
                hint="what had been saved is where it was moved to: zoo train --resume THERE",
            )

    def configure(self, config: TrainConfig) -> Run:
        """The run with another config.json."""
        write_json(self.path / "config.json", config_json(config))
        return replace(self, config=config)


def _find(folder: Path, which: str, *, verify: bool, resumable: bool) -> Found:
    if which == "best" and not resumable:
        return best(folder, verify=verify)
    if which == "last":
        return newest(folder, verify=verify, resumable=resumable)
    checkpoint = open_checkpoint(folder / which, resumable=resumable)
    if verify:
        checkpoint.verify(resumable=resumable)
    return Found(checkpoint=checkpoint)


def _read(file: Path) -> object:
    try:
        data = json.loads(file.read_bytes())
    except FileNotFoundError as error:
        hint = "" if file.parent.exists() else near_outputs(file.parent)
        raise BadFile(f"{file.parent} is not a run directory: it has no {file.name}", hint=hint) from error
    except (OSError, ValueError, RecursionError) as error:
        raise BadFile(f"{file} cannot be read: {error}", hint=_WITHOUT_RECORDS.format(run=file.parent)) from error
    return {**check_schema(data, file, newest=SCHEMA), "schema": SCHEMA}


_WITHOUT_RECORDS: Final = (
    "zoo train --config {run}/config.json does the same training again; what it learned is in "
    "{run}/checkpoints/step-N/model.safetensors, which --weights takes"
)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def now() -> str:
    """The time as run.json holds it; sorts as text."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def default_output(model: str, root: Path = Path("runs")) -> Path:
    """runs/<model>/<UTC time>-<4 letters>."""
    letters = "".join(secrets.choice(string.ascii_lowercase) for _ in range(4))
    return root / model.rpartition("/")[2] / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{letters}"


def check_output(path: Path, *, overwrite: bool = False) -> None:
    """OutputExists, UsageError or DiskError, before anything expensive, unless a run can be made here."""
    check_name(path)
    if path.exists():
        if not overwrite:
            raise OutputExists(f"{path} exists already", hint="choose another place with -o, or say --overwrite")
        if not path.is_dir() or (any(path.iterdir()) and not (path / "run.json").is_file()):
            raise OutputExists(f"{path} is not a run, so --overwrite leaves it alone", hint="choose another place")
        check_idle(path)
    parent = next(folder for folder in path.absolute().parents if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise DiskError(
            f"{path} cannot be made: {parent} is not a writable folder", hint="choose another place with -o"
        )


def check_idle(path: Path) -> None:
    """OutputExists for a run that some process still writes."""
    with suppress(BadFile):  # a damaged run is nobody's
        run = Run.open(path)
        if run.status == "running":
            raise OutputExists(
                f"{path} is still being trained by process {run.record.pid} on {run.record.host}",
                hint="choose another place with -o, or remove the folder",
            )


def delete(run: Run) -> None:
    """Remove a run directory with everything in it; OutputExists while some process writes it."""
    check_idle(run.path)
    with disk_errors(run.path):
        remove(run.path)
