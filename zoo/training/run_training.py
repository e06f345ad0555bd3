"""A built training carried to its end: fitted, tested once, written down."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from zoo.api.data import DataCard
from zoo.api.errors import BadFile, DiskError, Diverged, ZooError, describe_error
from zoo.api.specs import ModelSpec
from zoo.models.weights.load import load_state, read_state
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs import checkpoints
from zoo.runs.evaluation_result import recorded
from zoo.runs.run import Run, RunRecord, Status
from zoo.training.callbacks.checkpoints import Checkpoints
from zoo.training.callbacks.metrics_csv import MetricsCsv, read_rows
from zoo.training.callbacks.pictures import Pictures
from zoo.training.callbacks.tensorboard import TensorBoard
from zoo.training.components import Training
from zoo.training.diagnosis import Finding, diagnose, read_history
from zoo.training.engine.told import ProcessLost
from zoo.training.events import Callback, Outcome
from zoo.training.fit import fit
from zoo.training.memory import is_out_of_memory, memory_error
from zoo.training.remedy import after_divergence
from zoo.training.report import write_report
from zoo.training.signals import StopSignals
from zoo.training.split_metrics import measure_split, same_everywhere


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
    run: Run, training: Training, card: DataCard, callbacks: Sequence[Callback], *, entry: RegistryEntry[ModelSpec]
) -> Ended:
    """Fit, test the best checkpoint once, and write down how it ended; the caller holds the run's lock."""
    engine = training.engine
    training.context.set_optimizers(training.optimizers, training.rates, training.average)
    with StopSignals() as signals:  # also while a failure is written down: a launcher then ends the other processes
        try:
            outcome = fit(
                training,
                callbacks=_all_callbacks(run, training, callbacks) if engine.leads else (),
                signals=signals,
                load_best=lambda: _load_best(run, training),
            )
            test = _test(run, training, card, signals) if outcome.status == "finished" else {}
        except BaseException as error:
            raise _failed(run, training, engine.explained(error), spec=entry.spec) from error
    if test is None:
        outcome = replace(outcome, status="interrupted", reason=signals.name, signal=signals.received)
    finished = outcome.status == "finished"
    findings = _findings(run, training) if finished and engine.leads else ()
    record = _ended(run.record, outcome, test or {})
    record = replace(record, notes=(*record.notes, *(finding.message for finding in findings)))
    if engine.leads:
        if finished:  # before run.json says so: a finished run has its report, whenever the process is killed
            write_report(replace(run, record=record))
        run = run.update(record)
    return Ended(entry=entry, run=replace(run, record=record), outcome=outcome, findings=findings)


def _all_callbacks(run: Run, training: Training, callbacks: Sequence[Callback]) -> tuple[Callback, ...]:
    """The built-in callbacks in the order in which they write, then the caller's."""
    metrics = MetricsCsv(run.path / "metrics.csv")
    return (
        metrics,
        TensorBoard(run.path / "tensorboard", metrics=metrics, created=run.record.created),
        Checkpoints(run),
        Pictures(run.path, epoch_figure=training.task.tags.epoch_figure),
        *callbacks,
    )


def _findings(run: Run, training: Training) -> tuple[Finding, ...]:
    """What the recorded epochs say about the training."""
    rows = read_rows(run.path / "metrics.csv")
    return diagnose(read_history(rows, training.monitor, classes=len(training.context.problem.classes)))


def _ended(record: RunRecord, outcome: Outcome, test: Mapping[str, float]) -> RunRecord:
    return replace(
        record,
        status=outcome.status,
        seconds=round(outcome.seconds, 3),
        steps=outcome.steps,
        epochs=outcome.epochs,
        best_epoch=outcome.best_epoch,
        metrics=dict(outcome.metrics),
        test=test,
    )


def _load_best(run: Run, training: Training) -> None:
    """Put the best checkpoint into the model that is evaluated, on every process."""
    training.engine.barrier()
    model = training.evaluation.modules["model"]
    if training.engine.leads:  # the others may be on machines that do not see the run
        load_state(model, read_state(run.checkpoint("best").checkpoint.model), origin=str(run.path))
    training.engine.share_tensors(model)


def _test(run: Run, training: Training, card: DataCard, signals: StopSignals) -> dict[str, float] | None:
    """The test metrics of the best checkpoint; none where the data have no test split; None after a signal."""
    if not card.counts().get("test"):
        return {}
    _load_best(run, training)
    result = measure_split(
        training.evaluation,
        training.trainer,
        training.task.tensors.dataset(card, "test", training.context.problem),
        training.task.tensors.metrics(training.context.problem),
        workers=training.workers,
        stop=lambda: training.engine.world == 1 and signals.received is not None,
    )
    return None if result is None else recorded(same_everywhere(result.metrics, training.engine, task=run.record.task))


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
    return error
