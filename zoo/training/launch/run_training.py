"""A built training carried to its end: fitted, tested once, written down."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

from zoo.api.callback import Callback, CallbackRun, Outcome
from zoo.api.data import DataCard
from zoo.api.errors import BadFile, DiskError, Diverged, UsageError, ZooError, describe_error
from zoo.api.problem import Json
from zoo.api.specs import ModelSpec
from zoo.api.task import Metrics
from zoo.models.weights.load import load_state, read_state
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry
from zoo.registry.references import resolve
from zoo.runs import checkpoints
from zoo.runs.run import Run, RunRecord, Status
from zoo.runs.train_config import config_json
from zoo.training.advice.diagnosis import Finding, diagnose, read_history
from zoo.training.advice.remedy import after_divergence
from zoo.training.callbacks.built_in import EVERY_RUN
from zoo.training.callbacks.checkpoints import Checkpoints
from zoo.training.callbacks.metrics_csv import read_rows
from zoo.training.engine.told import ProcessLost
from zoo.training.launch.memory import is_out_of_memory, memory_error
from zoo.training.loop.components import Training
from zoo.training.loop.fit import fit
from zoo.training.loop.notify import CallbackFailed
from zoo.training.loop.signals import StopSignals
from zoo.training.loop.split_metrics import SplitResult, measure_split, same_everywhere
from zoo.training.results.report import write_report


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What came of a training."""

    entry: RegistryEntry[ModelSpec]
    """The model that was trained."""
    run: Run
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    """What went wrong with a training that ran to its end."""


def finish(
    run: Run,
    training: Training,
    card: DataCard,
    callbacks: Sequence[Callback],
    *,
    entry: RegistryEntry[ModelSpec],
    catalog: Catalog,
) -> Ended:
    """Fit, test the best checkpoint once, and write down how it ended; the caller holds the run's lock."""
    engine = training.engine
    training.context.set_optimizers(training.optimizers, training.rates, training.average)
    with StopSignals() as signals:  # also while a failure is written down: a launcher then ends the other processes
        try:
            outcome = fit(
                training,
                callbacks=_all_callbacks(run, training, callbacks, catalog) if engine.leads else (),
                signals=signals,
                load_best=lambda: _load_best(run, training),
                test=partial(_test, run, training, card, signals) if card.counts().get("test") else None,
            )
        except BaseException as error:
            raise _failed(run, training, engine.explained(error), spec=entry.spec) from error
    finished = outcome.status == "finished"
    findings = _findings(run, training) if finished and engine.leads else ()
    record = _ended(run.record, outcome)
    record = replace(record, notes=(*record.notes, *(finding.message for finding in findings)))
    if engine.leads:
        if finished:  # before run.json says so: a finished run has its report, whenever the process is killed
            write_report(replace(run, record=record))
        run = run.update(record)
    return Ended(entry=entry, run=replace(run, record=record), outcome=outcome, findings=findings)


def _all_callbacks(
    run: Run, training: Training, callbacks: Sequence[Callback], catalog: Catalog
) -> tuple[Callback, ...]:
    """The built-in callbacks in the order in which they write, those that the config names, then the caller's."""
    asked = CallbackRun(
        path=run.path,
        created=run.record.created,
        model=run.config.model,
        task=run.record.task,
        data=run.config.data,
        config=cast("Mapping[str, Json]", config_json(training.config)),
        tags=training.task.tags,
    )
    metrics, tensorboard, pictures = (
        cast("Callable[[CallbackRun], Callback]", resolve(spec.callback))(asked) for spec in EVERY_RUN
    )
    always = (metrics, tensorboard, Checkpoints(run), pictures, *callbacks)
    named = [catalog.make_callback(catalog.callback(name), asked) for name in training.config.callbacks]
    kinds = {type(callback) for callback in always}
    every = (*always, *(callback for callback in named if type(callback) not in kinds))
    names = [callback.name for callback in every]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise UsageError(
            f"two callbacks of this training are called {twice}, and a checkpoint could not keep their states apart",
            hint="give one of them another `name`",
        )
    return every


def _findings(run: Run, training: Training) -> tuple[Finding, ...]:
    """What the recorded epochs say about the training."""
    rows = read_rows(run.path / "metrics.csv")
    return diagnose(read_history(rows, training.monitor, classes=len(training.context.problem.classes)))


def _ended(record: RunRecord, outcome: Outcome) -> RunRecord:
    return replace(
        record,
        status=outcome.status,
        seconds=round(outcome.seconds, 3),
        steps=outcome.steps,
        epochs=outcome.epochs,
        best_epoch=outcome.best_epoch,
        metrics=dict(outcome.metrics),
        test=dict(outcome.test),
        intervals=dict(outcome.intervals),
        calibration=dict(outcome.calibration),
    )


def _load_best(run: Run, training: Training) -> None:
    """Put the best checkpoint into the model that is evaluated, on every process."""
    training.engine.barrier()
    model = training.evaluation.modules["model"]
    if training.engine.leads:  # the others may be on machines that do not see the run
        load_state(model, read_state(run.checkpoint("best").checkpoint.model), origin=str(run.path))
    training.engine.share_tensors(model)


def _test(run: Run, training: Training, card: DataCard, signals: StopSignals, measured: Metrics) -> SplitResult | None:
    """What the test split gives with the best checkpoint; None after a signal."""
    _load_best(run, training)
    result = measure_split(
        training.evaluation,
        training.trainer,
        training.task.tensors.dataset(card, "test", training.context.problem),
        measured,
        workers=training.workers,
        stop=lambda: training.engine.world == 1 and signals.received is not None,
    )
    return result and replace(result, metrics=same_everywhere(result.metrics, training.engine, task=run.record.task))


def _failed(run: Run, training: Training, error: BaseException, *, spec: ModelSpec) -> BaseException:
    """The error to raise, after the run has recorded it."""
    if is_out_of_memory(error):
        error = memory_error(training.config, f"at step {training.progress.step + 1:,}")
    if training.engine.leads:
        text = error.message if isinstance(error, ZooError) else describe_error(error)
        status: Status = "interrupted" if isinstance(error, ProcessLost) else "failed"
        with suppress(DiskError):  # what went wrong first is what is told
            run.update(replace(run.record, status=status, error=text, steps=training.progress.step))
    if isinstance(error, ProcessLost):
        command = shlex.join(["zoo", "train", "--resume", str(run.path)])
        error.hint = f"{error.hint}; to go on from the last checkpoint: {command}"
        return error
    if isinstance(error, Diverged):
        try:
            kept = f"the last good checkpoint is {checkpoints.newest(run.checkpoints).checkpoint.path}"
        except BadFile:
            kept = "no checkpoint had been written"
        return Diverged(error.message, hint=f"{kept}; {after_divergence(training.config, spec)}")
    if isinstance(error, CallbackFailed):
        path = shlex.quote(str(run.path))
        error.hint = f"what was trained is saved; zoo train --resume {path} goes on, with --callback none without it"
    return error
