"""An interrupted run, trained on to the same weights as if nothing had happened."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from zoo.api.callback import Callback, Outcome
from zoo.api.data import DataCard
from zoo.api.errors import UsageError
from zoo.api.specs import ModelSpec
from zoo.api.task import Progress
from zoo.models.build import silent
from zoo.models.device import choose_device
from zoo.models.weights.source import find_source, trained_model
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs import checkpoints
from zoo.runs import run as runs
from zoo.runs.checkpoints import Found
from zoo.runs.lock import holding
from zoo.runs.resumable import check_resumable, check_unfinished, clear_way, starting_checkpoint
from zoo.runs.run import Run
from zoo.runs.train_config import TrainConfig
from zoo.runs.train_options import NO_CALLBACK
from zoo.training.engine.fabric import launch
from zoo.training.engine.place import processes
from zoo.training.launch.build import build_training, starting_model
from zoo.training.launch.check_request import callback_names
from zoo.training.launch.memory import memory_errors
from zoo.training.launch.provenance import versions
from zoo.training.launch.rehearsal import check_room, saved_bytes
from zoo.training.launch.request import TrainingRequest
from zoo.training.launch.run_training import Ended, finish
from zoo.training.launch.start import Say, in_its_place
from zoo.training.loop.components import Training
from zoo.training.loop.state import read_state


def resume(
    path: Path,
    *,
    catalog: Catalog | None = None,
    allow_inexact: bool = False,
    from_scratch: bool = False,
    data: str | Path | None = None,
    devices: int | None = None,
    callbacks: Sequence[str | Callback] = (),
    progress: Progress = silent,
    say: Say = print,
) -> Ended:
    """Train on from the newest valid checkpoint, to the same weights as if nothing had happened.

    `data` says where the run's data are now; they must be the same by their contents.  `from_scratch` begins again
    with the run's seed, and keeps the checkpoints that are there aside.  `devices` are as many processes as are to go
    on, where no launcher has started them.  `callbacks` are objects that listen, or names: these replace the run's own
    ("none" for none).
    UsageError when the run is finished or still running, when its config was edited, when the data are not the same,
    and, unless `allow_inexact`, when this machine cannot repeat what that one would have done.  BadFile when there are
    checkpoints and none can be resumed from.

    Args:
        path: The directory of the run.
        catalog: The plugins; those that are installed if left out.
        allow_inexact: Go on where the end would not be the same bit for bit.
        from_scratch: Begin again; the checkpoints are kept aside.
        data: Where the data are now.
        devices: How many processes.
        callbacks: Names, or objects that listen.
        progress: Gets what `zoo train` prints while it checks the data.
        say: Gets each line for a person.

    Returns:
        The finished or interrupted run, and how it ended.

    Raises:
        UsageError: The run is finished or running, was edited, or its data are others.
        BadFile: There is no checkpoint to go on from.

    Examples:
        >>> run = zoo.train("cnn", data="digits", epochs=1, limit_train=64, output=Path("finished"))
        >>> zoo.resume(run.path)
        Traceback (most recent call last):
        zoo.api.errors.UsageError: finished is finished
        next: zoo export finished --onnx
    """
    run, catalog = Run.open(path), catalog or Catalog.discover()
    check_resumable(run)
    if run.record.status == "finished":
        return _ended_before(run, catalog)
    start = starting_checkpoint(run, from_scratch=from_scratch)
    run = run if data is None else replace(run, config=run.config.with_data(str(data)))
    names = tuple(callback for callback in callbacks if isinstance(callback, str))
    own = [callback for callback in callbacks if not isinstance(callback, str)]
    if names:
        chosen = tuple(name for name in callback_names(names, catalog) if name != NO_CALLBACK)
        run = replace(run, config=replace(run.config, callbacks=chosen))
    callback_names(run.config.callbacks, catalog)  # one that is gone is said before the data are checked
    request = _request(run, catalog, start)
    card = request.task.data.check(request.data_source, progress=progress)
    other_data = _check_same_data(run, card, request.entry)
    config, reasons = _same_machine(run, request.entry, devices)
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
        with holding(run.path) if engine.leads else nullcontext():
            with memory_errors(config, "before its next step"):
                training = build_training(request, card=card, problem=run.problem, model=model, engine=engine)
            _load_checkpoint(start, training, say)
            if engine.leads:
                run = _begin_again(run, training, inexact, from_scratch=from_scratch, say=say)
                _point_at(run, training, start)
            engine.barrier()
            ended = finish(run, training, card, own, entry=request.entry, catalog=catalog)
        return in_its_place(ended) if engine.leads else ended


def _ended_before(run: Run, catalog: Catalog) -> Ended:
    """A run that had finished when its process was killed, at the place of the one that it replaces."""
    record = run.record
    outcome = Outcome(
        status="finished",
        reason="finished before",
        signal=None,
        epochs=record.epochs,
        steps=record.steps,
        seconds=record.seconds,
        best_epoch=record.best_epoch,
        metrics=record.metrics,
    )
    return in_its_place(Ended(entry=trained_model(run, catalog), run=run, outcome=outcome))


def _begin_again(run: Run, training: Training, inexact: Sequence[str], *, from_scratch: bool, say: Say) -> Run:
    """The run, its folder in order, recorded as being trained by this process; the caller holds its lock."""
    check_unfinished(Run.open(run.path))  # by another process, while this one was waiting for the lock
    check_room(run.path, saved_bytes(training))
    for sentence in clear_way(run, from_scratch=from_scratch):
        say(sentence)
    record = replace(
        run.record,
        status="running",
        host=socket.gethostname(),
        pid=os.getpid(),
        resumed=(*run.record.resumed, runs.now()),
        notes=(*run.record.notes, *(f"resumed inexactly: {note}" for note in inexact)),
        error="",
    )
    return run.update(record).configure(training.config)


def _request(run: Run, catalog: Catalog, start: Found | None) -> TrainingRequest:
    """What the run was asked for; its weights are looked up only where no checkpoint has the parameters."""
    entry, config = trained_model(run, catalog), run.config
    task = catalog.make_task(run.record.task)
    begins_again = bool(config.weights) and start is None
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


def _load_checkpoint(start: Found | None, training: Training, say: Say) -> None:
    """Put a checkpoint into the training; without one it begins again, from the same seed."""
    if start is None:
        say("training begins again, with the same seed")
        return
    for note in start.notes:
        say(note)
    state = read_state(
        start.checkpoint,
        modules=training.modules,
        optimizers=training.optimizers,
        average=training.average,
        trainer=training.trainer,
        rank=training.engine.rank,
        world=training.engine.world,
    )
    training.progress, training.callback_states = state.progress, state.callbacks
    training.engine.load_scaler_state(state.scaler)


def _point_at(run: Run, training: Training, start: Found | None) -> None:
    """The pointers as they were at the checkpoint: the process may have died before it could write them."""
    if start is None:
        return
    checkpoints.point(run.checkpoints, "last", start.checkpoint)
    best_epoch = training.progress.best_epoch
    for path in checkpoints.present(run.checkpoints):
        checkpoint = checkpoints.open_checkpoint(path)
        manifest = checkpoint.manifest
        if manifest.epoch == best_epoch and manifest.metrics:
            checkpoints.point(run.checkpoints, "best", checkpoint)


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


def _same_machine(run: Run, entry: RegistryEntry[ModelSpec], devices: int | None) -> tuple[TrainConfig, list[str]]:
    """The config to go on with, and every reason why that is not exact."""
    config, reasons = run.config, []
    try:
        choose_device(config.device)
    except UsageError:
        device = choose_device("auto")
        reasons.append(f"the run used {config.device}, here is {device}")
        config = config.settled(device=device)
    count = processes(config, asked=devices)
    if count != config.devices:
        reasons.append(f"the run used {_counted(config.devices)}, now it would use {_counted(count)}")
        config = config.settled(devices=count)
    recorded, installed = run.record.versions, versions(entry)
    for name, name_here in (("torch", "torch"), ("cpu", "cpu"), (config.plugin, entry.plugin.name)):
        if recorded.get(name) != installed.get(name_here):
            reasons.append(f"{name} was {recorded.get(name)}, here it is {installed.get(name_here)}")
    return config, reasons


def _counted(processes: int) -> str:
    return f"{processes} process{'es' if processes > 1 else ''}"
