"""An interrupted run, trained on to the same weights as if nothing had happened."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from zoo.api.data import DataCard
from zoo.api.errors import BadFile, UsageError
from zoo.api.specs import ModelSpec
from zoo.api.task import Progress
from zoo.models.build import silent
from zoo.models.device import choose_device
from zoo.models.weights.source import find_source, trained_model
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs import checkpoints
from zoo.runs import run as runs
from zoo.runs.run import Run
from zoo.runs.train_config import TrainConfig
from zoo.training.build import build_training, starting_model
from zoo.training.components import Training
from zoo.training.engine.fabric import launch, launched_processes
from zoo.training.events import Callback
from zoo.training.provenance import versions
from zoo.training.request import TrainingRequest
from zoo.training.run_training import Ended, finish
from zoo.training.start import Say
from zoo.training.state import read_state


def resume(
    path: Path,
    *,
    catalog: Catalog | None = None,
    allow_inexact: bool = False,
    data: str | Path | None = None,
    callbacks: Sequence[Callback] = (),
    progress: Progress = silent,
    say: Say = print,
) -> Ended:
    """Train on from the newest valid checkpoint, to the same weights as if nothing had happened.

    `data` says where the run's data are now; they must be the same by their contents.
    UsageError when the run is finished or still running, when the data are not the same, and, unless
    `allow_inexact`, when this machine cannot repeat what that one would have done.
    """
    run = Run.open(path)
    _check_resumable(run)
    run = run if data is None else replace(run, config=run.config.with_data(str(data)))
    request = _request(run, catalog or Catalog.discover())
    card = request.task.data.check(request.data_source, progress=progress)
    other_data = _check_same_data(run, card, request.entry)
    config, reasons = _same_machine(run, request.entry)
    inexact = [*other_data, *reasons]
    if inexact and not allow_inexact:
        raise UsageError(
            f"resuming {path} would not be exact: {'; '.join(inexact)}",
            hint="say --allow-inexact to go on all the same",
        )
    for note in inexact:
        say(f"not exact: {note}")
    request = replace(request, config=config)
    model, _ = starting_model(request, run.problem)
    with launch(device=config.device, devices=config.devices, precision=config.recipe.precision) as engine:  # type: ignore[arg-type]
        if engine.leads:
            checkpoints.sweep(run.checkpoints)
        engine.barrier()
        training = build_training(request, card=card, problem=run.problem, model=model, engine=engine)
        _go_back_to_checkpoint(run, training, say)
        notes = (*run.record.notes, *(f"resumed inexactly: {note}" for note in inexact))
        record = replace(
            run.record,
            status="running",
            host=socket.gethostname(),
            pid=os.getpid(),
            resumed=(*run.record.resumed, runs.now()),
            notes=notes,
            error="",
        )
        if engine.leads:
            run = run.update(record).configure(training.config)
        return finish(run, training, card, callbacks, entry=request.entry)


def _request(run: Run, catalog: Catalog) -> TrainingRequest:
    """What the run was asked for; its weights are looked up only where no checkpoint has the parameters."""
    entry, config = trained_model(run, catalog), run.config
    task = catalog.make_task(run.record.task)
    begins_again = bool(config.weights) and not any(run.checkpoints.glob("step-*"))
    return TrainingRequest(
        catalog=catalog,
        entry=entry,
        trainer=catalog.trainer_of(entry),
        task=task,
        config=config,
        data_source=task.data.detect(config.request),
        weights=find_source(str(config.weights), catalog, entry) if begins_again else None,
        output=run.path,
    )


def _go_back_to_checkpoint(run: Run, training: Training, say: Say) -> None:
    """Put the newest valid checkpoint into the training; without one it begins again, from the same seed."""
    try:
        newest = run.checkpoint("last")
    except BadFile:
        say("there is no valid checkpoint yet: training begins again, with the same seed")
        return
    for note in newest.notes:
        say(note)
    training.progress, scaler = read_state(
        newest.checkpoint,
        modules=training.modules,
        optimizers=training.optimizers,
        average=training.average,
        trainer=training.trainer,
    )
    training.engine.load_scaler_state(scaler)
    manifest = newest.checkpoint.manifest
    if training.engine.leads and manifest.metrics and manifest.epoch == training.progress.best_epoch:
        checkpoints.point(run.checkpoints, "best", newest.checkpoint)  # the process may have died before it could


def _check_resumable(run: Run) -> None:
    if run.status == "running":
        raise UsageError(
            f"{run.path} is still being trained by process {run.record.pid} on {run.record.host}",
            hint="wait for its end, or interrupt it with Ctrl-C; if it is gone from a host that shares no locks, "
            f"write interrupted for the status in {run.path / 'run.json'}",
        )
    if run.status == "finished":
        raise UsageError(
            f"{run.path} is finished: there is nothing to resume",
            hint=f"to train on from its weights: zoo train {run.config.model} --weights {run.path}",
        )


def _check_same_data(run: Run, card: DataCard, entry: RegistryEntry[ModelSpec]) -> list[str]:
    """Why the training items may be others; UsageError where they are others."""
    if card.classes != run.data.classes:
        raise UsageError(
            f"{run.config.data} has other classes than when {run.path} was started",
            hint="say where they are now with --data, put the old data back, or start a new run",
        )
    if card.has_fingerprint(run.data.fingerprint):
        return []
    then, here = run.record.versions.get("edgezoo"), versions(entry).get("edgezoo")
    if then != here:
        return [f"{run.config.data} has changed, or zoo {then} divided or read it otherwise than zoo {here}"]
    raise UsageError(
        f"{run.config.data} has changed since {run.path} was started (its fingerprint differs)",
        hint="say where they are now with --data, put the old data back, or start a new run",
    )


def _same_machine(run: Run, entry: RegistryEntry[ModelSpec]) -> tuple[TrainConfig, list[str]]:
    """The config to go on with, and every reason why that is not exact."""
    config, reasons = run.config, []
    try:
        choose_device(config.device)
    except UsageError:
        device = choose_device("auto")
        reasons.append(f"the run used {config.device}, here is {device}")
        config = config.settled(device=device)
    processes = launched_processes()
    if processes not in (1, config.devices):
        reasons.append(f"the run used {config.devices} processes, here are {processes}")
        config = config.settled(devices=processes)
    recorded, installed = run.record.versions, versions(entry)
    for name, name_here in (("torch", "torch"), ("cpu", "cpu"), (config.plugin, entry.plugin.name)):
        if recorded.get(name) != installed.get(name_here):
            reasons.append(f"{name} was {recorded.get(name)}, here it is {installed.get(name_here)}")
    return config, reasons
