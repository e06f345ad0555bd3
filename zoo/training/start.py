"""A training from what somebody wants to its finished run, and the same again for a run that was interrupted."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from zoo import checkpoints, runs
from zoo.catalog import Catalog
from zoo.config import Freeze, OnBadSample, TrainConfig, TrainOptions
from zoo.data_card import DataCard
from zoo.engine.fabric import Engine, choose_device, choose_precision, launch, launched_processes
from zoo.errors import BadFile, Diverged, UsageError, ZooError
from zoo.intent import Intent, check_data, data_request, intend, pose_problem
from zoo.names import Offer
from zoo.problem import ImageInput, Problem
from zoo.runs import DataRecord, Run, RunRecord
from zoo.specs import ModelSpec
from zoo.task import Progress, Task
from zoo.training.build import build_training, starting_model
from zoo.training.evaluation import measure
from zoo.training.events import Listener, Outcome
from zoo.training.fit import Training, fit
from zoo.training.listeners.checkpoints import Checkpoints
from zoo.training.listeners.metrics_csv import MetricsCsv
from zoo.training.listeners.pictures import Pictures
from zoo.training.listeners.tensorboard import TensorBoard
from zoo.training.report import write_report
from zoo.training.signals import StopSignals
from zoo.training.state import read_state
from zoo.weights.load import load_state
from zoo.weights.load import read_state as read_weights

Say = Callable[[str], None]
"""Takes a sentence for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What came of a training."""

    run: Run
    outcome: Outcome


def begin(
    intent: Intent, card: DataCard, *, argv: Sequence[str] = (), listeners: Sequence[Listener] = (), say: Say = print
) -> Ended:
    """Train from the first step."""
    problem = pose_problem(intent, card)
    config = replace(intent.config, input=problem.input)
    model, started = starting_model(intent.catalog, intent.offer, config, problem)
    for note in (*card.notes, *(started.notes if started else ())):
        say(note)
    config = _on_this_machine(config, model, problem)
    with launch(device=config.device, devices=config.devices, precision=config.recipe.precision) as engine:  # type: ignore[arg-type]
        place = Path(engine.tell(str(intent.place)))
        training = build_training(
            config=config.settled(output=str(place)),
            catalog=intent.catalog,
            offer=intent.offer,
            task=intent.task,
            card=card,
            problem=problem,
            model=model,
            engine=engine,
        )
        run = Run(
            path=place,
            record=_record(intent.offer, training.config, argv),
            config=training.config,
            data=_data_record(card, intent, problem),
        )
        if engine.leads:
            run = Run.create(place, record=run.record, config=run.config, data=run.data, overwrite=intent.overwrite)
            say(f"run {run.path}")
        engine.barrier()
        return _train(run, training, card, listeners, say)


def resume(
    path: Path,
    *,
    catalog: Catalog,
    allow_inexact: bool = False,
    listeners: Sequence[Listener] = (),
    progress: Progress = lambda done, total: None,
    say: Say = print,
) -> Ended:
    """Train on from the newest valid checkpoint, to the same weights as if nothing had happened.

    UsageError when the run is finished or still running, when the data are not the same, and, unless
    `allow_inexact`, when this machine cannot repeat what that one would have done.
    """
    run = Run.open(path)
    _check_resumable(run)
    offer, task = catalog.model(run.config.model), catalog.make_task(run.record.task)
    card = task.check(task.detect(data_request(run.config)), progress=progress)
    _check_same_data(run, card)
    config, inexact = _same_machine(run, offer)
    if inexact and not allow_inexact:
        raise UsageError(
            f"resuming {path} would not be exact: {'; '.join(inexact)}",
            hint="say --allow-inexact to go on all the same",
        )
    for note in inexact:
        say(f"not exact: {note}")
    model, _ = starting_model(catalog, offer, config, run.problem, load=not any(run.checkpoints.glob("step-*")))
    with launch(device=config.device, devices=config.devices, precision=config.recipe.precision) as engine:  # type: ignore[arg-type]
        if engine.leads:
            checkpoints.sweep(run.checkpoints)
        engine.barrier()
        training = build_training(
            config=config,
            catalog=catalog,
            offer=offer,
            task=task,
            card=card,
            problem=run.problem,
            model=model,
            engine=engine,
        )
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
        return _train(run, training, card, listeners, say)


def train(
    model: str,
    *,
    data: str | Path | None = None,
    data_root: Path | None = None,
    weights: str | Path | None = None,
    freeze: Freeze | None = None,
    config: Path | None = None,
    output: Path | None = None,
    overwrite: bool = False,
    epochs: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    precision: Literal["auto", "32", "bf16", "16"] | None = None,
    patience: int | None = None,
    seed: int | None = None,
    device: str | None = None,
    threads: int | None = None,
    max_steps: int | None = None,
    max_time: str | None = None,
    limit_train: int | None = None,
    on_bad_sample: OnBadSample | None = None,
    settings: Sequence[str] = (),
    listeners: Sequence[Listener] = (),
    catalog: Catalog | None = None,
) -> Run:
    """The finished (or, after Ctrl-C, interrupted) run of a model on data; nothing is printed.

    `settings` are changes of the recipe, as in ("recipe.clip=1",); everything left out is chosen by the recipe.
    """
    options = TrainOptions(
        data=None if data is None else str(data),
        data_root=data_root,
        weights=None if weights is None else str(weights),
        freeze=freeze,
        config=config,
        output=output,
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        precision=precision,
        patience=patience,
        seed=seed,
        device=device,
        threads=threads,
        max_steps=max_steps,
        max_time=max_time,
        limit_train=limit_train,
        on_bad_sample=on_bad_sample,
        settings=tuple(settings),
    )
    intent = intend(model, options, catalog=catalog or Catalog.discover(), overwrite=overwrite)
    card = check_data(intent, progress=lambda done, total: None)
    return begin(intent, card, argv=tuple(sys.argv), listeners=listeners, say=lambda text: None).run


# --- the training itself ---


def _train(run: Run, training: Training, card: DataCard, listeners: Sequence[Listener], say: Say) -> Ended:
    """Fit, test the best checkpoint once, and write down how it ended."""
    engine = training.engine
    training.context.learn(training.optimizers, training.rates, training.average)
    ours: list[Listener] = []
    if engine.leads:
        ours = [MetricsCsv(run.path / "metrics.csv"), TensorBoard(run.path / "tensorboard"), Checkpoints(run)]
        ours += [Pictures(run.path), *listeners]
    try:
        with StopSignals() as signals:
            outcome = fit(training, listeners=ours, signals=signals)
            test = _test(run, training, card) if outcome.status == "finished" else {}
    except BaseException as error:
        raise _failed(run, training, error) from error
    record = replace(
        run.record,
        status=outcome.status,
        seconds=round(outcome.seconds, 3),
        steps=outcome.steps,
        epochs=outcome.epochs,
        best_epoch=outcome.best_epoch,
        metrics=dict(outcome.metrics),
        test=test,
    )
    if engine.leads:
        run = run.update(record)
        if outcome.status == "finished":
            write_report(run)
    return Ended(run=replace(run, record=record), outcome=outcome)


def _test(run: Run, training: Training, card: DataCard) -> dict[str, float]:
    """The test metrics of the best checkpoint; none where the data have no test split."""
    training.engine.barrier()
    if not card.counts().get("test"):
        return {}
    model = training.evaluation.modules["model"]
    load_state(model, read_weights(run.checkpoint("best").checkpoint.model), origin=str(run.path))
    dataset = training.task.dataset(card, "test", training.context.problem)
    metrics = training.task.metrics(training.context.problem)
    return measure(training.evaluation, training.trainer, dataset, metrics, workers=training.workers) or {}


def _failed(run: Run, training: Training, error: BaseException) -> BaseException:
    """The error to raise, after the run has recorded it."""
    if training.engine.leads:
        text = error.message if isinstance(error, ZooError) else f"{type(error).__name__}: {error}"
        run.update(replace(run.record, status="failed", error=text, steps=training.progress.step))
    if isinstance(error, Diverged):
        try:
            kept = f"the last good checkpoint is {checkpoints.newest(run.checkpoints).checkpoint.path}"
        except BadFile:
            kept = "no checkpoint had been written"
        lower = training.config.recipe.lr / 3
        return Diverged(error.message, hint=f"{kept}; try a lower rate, as in --lr {lower:.1g}, or --set recipe.clip=1")
    return error


def _go_back_to_checkpoint(run: Run, training: Training, say: Say) -> None:
    """Put the newest valid checkpoint into the training; without one it begins again, from the same seed."""
    try:
        found = run.checkpoint("last")
    except BadFile:
        say("there is no valid checkpoint yet: training begins again, with the same seed")
        return
    for note in found.notes:
        say(note)
    training.progress, scaler = read_state(
        found.checkpoint,
        modules=training.modules,
        optimizers=training.optimizers,
        average=training.average,
        trainer=training.trainer,
    )
    training.engine.load_scaler_state(scaler)


# --- what a resume must find unchanged ---


def _check_resumable(run: Run) -> None:
    if run.status == "running":
        raise UsageError(f"{run.path} is still being trained by process {run.record.pid} on {run.record.host}")
    if run.status == "finished":
        raise UsageError(
            f"{run.path} is finished: there is nothing to resume",
            hint=f"to train on from its weights: zoo train {run.config.model} --weights {run.path}",
        )


def _check_same_data(run: Run, card: DataCard) -> None:
    if card.classes != run.data.classes:
        raise UsageError(
            f"{run.config.data} has other classes than when {run.path} was started",
            hint="put the old data back, or start a new run",
        )
    if card.fingerprint != run.data.fingerprint:
        raise UsageError(
            f"{run.config.data} has changed since {run.path} was started (its fingerprint differs)",
            hint="put the old data back, or start a new run",
        )


def _same_machine(run: Run, offer: Offer[ModelSpec]) -> tuple[TrainConfig, list[str]]:
    """The config to go on with, and every reason why that is not exact."""
    config, reasons = run.config, []
    try:
        choose_device(config.device)
    except UsageError:
        there = choose_device("auto")
        reasons.append(f"the run used {config.device}, here is {there}")
        config = config.settled(device=there)
    here = launched_processes()
    if here not in (1, config.devices):
        reasons.append(f"the run used {config.devices} processes, here are {here}")
        config = config.settled(devices=here)
    now = _versions(offer)
    for name in ("torch", "cpu", config.plugin):
        then = run.record.versions.get(name)
        if then != now.get(name):
            reasons.append(f"{name} was {then}, here it is {now.get(name)}")
    if config.device != "cpu":
        reasons = [*reasons]  # a GPU's sums are exact to the last bit on one kind of device alone
    return config, reasons


# --- records ---


def _on_this_machine(config: TrainConfig, model: nn.Module, problem: Problem) -> TrainConfig:
    """The config with device, processes and precision decided."""
    device = choose_device(config.device)
    side = min(problem.input.size) if isinstance(problem.input, ImageInput) else 0
    count = sum(parameter.numel() for parameter in model.parameters())
    precision = choose_precision(config.recipe.precision, device=device, parameters=count, side=side)
    devices = launched_processes() if launched_processes() > 1 else config.devices
    if config.recipe.batch_size % devices:
        raise UsageError(
            f"a batch of {config.recipe.batch_size} cannot be shared evenly by {devices} processes",
            hint="choose a --batch-size that they divide",
        )
    return replace(config, recipe=replace(config.recipe, precision=precision)).settled(device=device, devices=devices)


def _record(offer: Offer[ModelSpec], config: TrainConfig, argv: Sequence[str]) -> RunRecord:
    return RunRecord(
        status="running",
        created=runs.now(),
        argv=tuple(argv),
        model=offer.full_name,
        task=offer.spec.task,
        seeds={"seed": config.seed},
        versions=_versions(offer),
        git=_git(),
        host=socket.gethostname(),
        pid=os.getpid(),
    )


def _data_record(card: DataCard, intent: Intent, problem: Problem) -> DataRecord:
    return DataRecord(
        source=intent.config.data,
        format=card.source.format,
        fingerprint=card.fingerprint,
        counts=card.counts(),
        classes=card.classes,
        notes=card.notes,
        problem=problem,
    )


def _versions(offer: Offer[ModelSpec]) -> dict[str, str]:
    found = {"python": platform.python_version(), "cpu": torch.backends.cpu.get_cpu_capability()}
    for name in ("edgezoo", "torch", "torchvision", "lightning-fabric"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return {**found, offer.plugin.name: offer.plugin.version}


def _git() -> dict[str, str | bool] | None:
    """Commit of the working directory and whether it had changes; None outside a repository or without git."""
    try:
        commit = _asked("git", "rev-parse", "HEAD")
        return {"commit": commit, "dirty": bool(_asked("git", "status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _asked(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
