"""A built training carried to its end: fitted, tested once, written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

from zoo.api.data import DataCard
from zoo.api.errors import BadFile, Diverged, ZooError, describe_error
from zoo.api.specs import ModelSpec
from zoo.models.weights.load import load_state, read_state
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs import checkpoints
from zoo.runs.evaluation_result import recorded
from zoo.runs.lock import holding
from zoo.runs.run import Run, RunRecord
from zoo.training.callbacks.checkpoints import Checkpoints
from zoo.training.callbacks.metrics_csv import MetricsCsv, read_rows
from zoo.training.callbacks.pictures import Pictures
from zoo.training.callbacks.tensorboard import TensorBoard
from zoo.training.components import Training
from zoo.training.diagnosis import Finding, diagnose, read_history
from zoo.training.events import Callback, Outcome
from zoo.training.fit import fit
from zoo.training.report import write_report
from zoo.training.signals import StopSignals
from zoo.training.split_metrics import measure


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
    """Fit, test the best checkpoint once, and write down how it ended."""
    engine = training.engine
    training.context.set_optimizers(training.optimizers, training.rates, training.average)
    all_callbacks: list[Callback] = []
    if engine.leads:
        all_callbacks = [MetricsCsv(run.path / "metrics.csv"), TensorBoard(run.path / "tensorboard"), Checkpoints(run)]
        all_callbacks += [Pictures(run.path, epoch_figure=training.task.tags.epoch_figure), *callbacks]
    with holding(run.path) if engine.leads else nullcontext():
        try:
            with StopSignals() as signals:
                outcome = fit(training, callbacks=all_callbacks, signals=signals)
                test = _test(run, training, card) if outcome.status == "finished" else {}
        except BaseException as error:
            raise _failed(run, training, error) from error
        findings = _findings(run, training) if outcome.status == "finished" and engine.leads else ()
        record = _ended(run.record, outcome, test)
        record = replace(record, notes=(*record.notes, *(finding.message for finding in findings)))
        if engine.leads:
            run = run.update(record)
            if outcome.status == "finished":
                write_report(run)
    return Ended(entry=entry, run=replace(run, record=record), outcome=outcome, findings=findings)


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


def _test(run: Run, training: Training, card: DataCard) -> dict[str, float]:
    """The test metrics of the best checkpoint; none where the data have no test split."""
    training.engine.barrier()
    if not card.counts().get("test"):
        return {}
    model = training.evaluation.modules["model"]
    if training.engine.leads:  # the others may be on machines that do not see the run
        load_state(model, read_state(run.checkpoint("best").checkpoint.model), origin=str(run.path))
    training.engine.share_tensors(model)
    dataset = training.task.tensors.dataset(card, "test", training.context.problem)
    metrics = training.task.tensors.metrics(training.context.problem)
    return recorded(measure(training.evaluation, training.trainer, dataset, metrics, workers=training.workers))


def _failed(run: Run, training: Training, error: BaseException) -> BaseException:
    """The error to raise, after the run has recorded it."""
    if training.engine.leads:
        text = error.message if isinstance(error, ZooError) else describe_error(error)
        run.update(replace(run.record, status="failed", error=text, steps=training.progress.step))
    if isinstance(error, Diverged):
        try:
            kept = f"the last good checkpoint is {checkpoints.newest(run.checkpoints).checkpoint.path}"
        except BadFile:
            kept = "no checkpoint had been written"
        lower = training.config.recipe.lr / 3
        return Diverged(error.message, hint=f"{kept}; try a lower rate, as in --lr {lower:.1g}, or --set recipe.clip=1")
    return error
