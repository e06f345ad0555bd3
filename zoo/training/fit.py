"""The training loop, for every task and every trainer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from zoo.api.callback import (
    ALL_EPOCHS,
    ALL_STEPS,
    TIME_IS_UP,
    Callback,
    CheckpointEvent,
    EpochResult,
    EvaluationEvent,
    Outcome,
    StartEvent,
    StepEvent,
)
from zoo.api.data import Split
from zoo.api.errors import Diverged
from zoo.api.task import Batch, Metrics
from zoo.api.trainer import StepOutput
from zoo.runs.evaluation_result import recorded
from zoo.runs.train_config import read_interval
from zoo.training.augmenting import augmented
from zoo.training.batches import channels_last, on_device, read_batches
from zoo.training.components import Training
from zoo.training.notify import CallbackFailed, Notifier
from zoo.training.signals import StopSignals
from zoo.training.split_metrics import SplitResult, calibration_errors, intervals, measure_split, same_everywhere
from zoo.training.state import ProcessState, not_finite, write_state

MAX_UNREAD_LOSSES: Final = 64
"""Losses stay on the device until there are so many, and are then read at once."""
EVENT_SECONDS: Final = 0.1
"""Seconds between two step events."""
CALLBACK_FAILED: Final = 1000
"""Stands for a signal where the processes agree to stop, since a callback failed in the one that has callbacks."""


class Fit:
    """Runs a training from its present progress to its end."""

    def __init__(
        self,
        training: Training,
        *,
        notifier: Notifier,
        signals: StopSignals,
        load_best: Callable[[], None] | None = None,
        test: Callable[[Metrics], SplitResult | None] | None = None,
    ) -> None:
        self._training = training
        self._load_best = load_best
        self._test = test
        self._progress = training.progress
        self._notifier = notifier
        self._signals = signals
        self._planned = training.context.total_steps
        accumulate, asked = training.config.recipe.accumulate, training.config.stop_after
        self._steps = self._planned if asked is None else min(self._planned, -(-asked // accumulate) * accumulate)
        self._unread: list[StepOutput] = []
        self._began = time.perf_counter() - training.progress.seconds
        self._save_interval = read_interval(training.config.save_every)
        self._saved = time.perf_counter()
        self._saved_step = training.progress.step
        self._metrics: dict[str, float] = {}
        self._best_measured: Metrics | None = None
        self._tested: Metrics | None = None
        self._test_metrics: Mapping[str, float] = {}

    def run(self) -> Outcome:
        """Train to the end, or until a signal comes."""
        self._send_start()
        progress = self._progress
        patience = self._training.config.recipe.patience
        while progress.step < self._steps:
            # checked before an epoch, so that a run that was killed after its last epoch does not train another
            if patience is not None and progress.stale >= patience:
                return self._finish(f"no better for {patience} epochs")
            self._train_epoch()
            if self._interrupted() or not self._end_epoch() or self._callback_failed():
                return self._interrupt()
            if self._out_of_time():
                return self._finish(TIME_IS_UP)
        limited = self._training.config.max_steps or self._steps < self._planned
        return self._finish(ALL_STEPS if limited else ALL_EPOCHS)

    # --- steps ---

    def _train_epoch(self) -> None:
        """Run the steps of the epoch, or those before the first reason to stop."""
        training, progress = self._training, self._progress
        training.learn_mode()
        first = progress.epoch * training.plan.batches
        batches = training.plan.epoch(progress.epoch, skip=progress.step - first)[: self._steps - progress.step]
        context, trainer, epoch = training.context, training.trainer, progress.epoch
        unread, timer, autocast = self._unread, time.perf_counter, training.engine.autocast
        plain = training.engine.precision == "32" and training.engine.world == 1
        started, due = timer(), timer() + EVENT_SECONDS
        batches_before, step = progress.step, progress.step
        for raw in read_batches(training.train, batches, workers=training.workers, pinned=training.engine.pins):
            context.begin(step, epoch)
            if plain:
                output = trainer.step(context, self._ready(raw))
            else:
                with context.whole_batch():
                    batch = self._ready(raw)
                    with autocast():
                        output = trainer.step(context, batch)
            unread.append(output)
            step += 1
            progress.step = step
            if len(unread) >= MAX_UNREAD_LOSSES:
                self._read()
            if timer() >= due:
                self._send_step((timer() - started) / (step - batches_before), step - first)
                due = timer() + EVENT_SECONDS
            if self._must_stop(step):
                break
        self._read()

    def _ready(self, raw: Batch) -> Batch:
        """The batch as the model takes it: on the device, augmented, normalised."""
        training = self._training
        recipe = training.config.recipe
        batch = on_device(raw, training.engine.device)
        batch = augmented(batch, training.task, recipe, training.context.generator)
        batch = training.train.ready(batch)
        return channels_last(batch) if recipe.channels_last else batch

    def _read(self) -> None:
        if self._unread:
            outputs, self._unread[:] = self._unread[:], []
            self._progress.add(outputs)

    def _must_stop(self, step: int) -> bool:
        """True between optimiser steps after a signal or when the time is up, on all processes alike."""
        engine = self._training.engine
        if step % self._training.config.recipe.accumulate:
            return False
        if engine.world == 1:
            if self._save_is_due():
                self._save_within()
            return self._interrupted() or self._out_of_time()
        stop, save = engine.wishes.take()  # what any process asked for before this step
        by_steps = self._save_interval.steps is not None  # then all know it alike
        due = self._save_is_due()
        ends = self._signals.received is not None or self._notifier.failure is not None or self._time_is_over()
        engine.wishes.own = (ends, due and not by_steps)
        if due if by_steps else save and self._is_within():
            self._save_within()
        return stop and (self._interrupted() or self._out_of_time())

    def _interrupted(self) -> bool:
        received = CALLBACK_FAILED if self._notifier.failure else self._signals.received
        if self._training.engine.world == 1:
            return received is not None
        signal_number = max(self._training.engine.gather(received or 0))
        if signal_number:  # else one that came during the exchange would be forgotten
            self._signals.received = signal_number
        return signal_number > 0

    def _callback_failed(self) -> bool:
        """Whether one failed after the epoch, on all processes alike."""
        failed = self._training.engine.tell(self._notifier.failure is not None)
        if failed:
            self._signals.received = CALLBACK_FAILED
        return failed

    def _out_of_time(self) -> bool:
        return self._training.config.max_time is not None and self._training.engine.tell(self._time_is_over())

    def _time_is_over(self) -> bool:
        limit = self._training.config.max_time
        return limit is not None and self._seconds() >= limit

    def _seconds(self) -> float:
        return time.perf_counter() - self._began

    # --- between epochs ---

    def _end_epoch(self) -> bool:
        """Evaluate, send the epoch event and save a checkpoint; False when a signal stopped the evaluation."""
        training, progress = self._training, self._progress
        for module in training.evaluated:
            training.engine.share_tensors(module, buffers_only=True)
        measured = training.task.tensors.metrics(training.context.problem)
        if training.average is not None:
            training.average.averaged()  # copies integer buffers into the module that `evaluation` measures
        if progress.step == self._planned:
            progress.check_end()
        split = self._measure(measured)
        if split is None:
            return False
        metrics = same_everywhere(split.metrics, training.engine, task=training.context.problem.task)
        if name := not_finite(training.saved_model):
            raise Diverged(f"{name} is not a finite number after epoch {progress.epoch + 1}")
        names = list(progress.sums)
        *sums, items = training.engine.sum([*progress.sums.values(), float(progress.items)])
        losses = {name: total / max(items, 1) for name, total in zip(names, sums, strict=True)}
        seconds, before = self._seconds(), progress.seconds
        progress.seconds = seconds
        progress.not_finite = max(training.engine.gather(progress.not_finite))
        best = progress.end_epoch(metrics, training.monitor)
        if best:
            self._best_measured = measured
        self._metrics = metrics
        result = EpochResult(
            epoch=progress.epoch,
            step=progress.step,
            seconds=seconds,
            rate=self._rate(),
            speed=items / max(seconds - before, 1e-9),
            losses=losses,
            metrics=metrics,
            validation_loss=split.loss,
            answers=split.answers,
            labels=split.labels,
            classified=split.classified,
            best=best,
            measured=measured,
        )
        self._send_evaluation("validation", split, measured)
        self._notifier.epoch_end(result)
        self._save(metrics, best=best)
        return True

    def _measure(self, measured: Metrics) -> SplitResult | None:
        """What the validation split gives; None where a signal stopped it."""
        training = self._training
        return measure_split(
            training.evaluation,
            training.trainer,
            training.validation,
            measured,
            workers=training.workers,
            stop=lambda: training.engine.world == 1 and self._signals.received is not None,
        )

    def _rate(self) -> float:
        step = max(self._progress.step - 1, 0)
        return self._training.rates[step // self._training.config.recipe.accumulate]

    # --- events and checkpoints ---

    def _send_start(self) -> None:
        training, progress = self._training, self._progress
        start = StartEvent(
            monitor=training.monitor,
            epochs=training.config.recipe.epochs,
            batches=training.plan.batches,
            steps=self._steps,
            items=training.plan.items,
            epoch=progress.epoch,
            step=progress.step,
        )
        self._notifier.start(start, training.callback_states)

    def _send_step(self, seconds_per_step: float, batch: int) -> None:
        self._read()
        progress, config = self._progress, self._training.config
        event = StepEvent(
            epoch=progress.epoch + 1,
            batch=batch,
            step=progress.step,
            loss=progress.loss(),
            rate=self._rate(),
            speed=config.recipe.batch_size / seconds_per_step,
            remaining=self._remaining(seconds_per_step),
            later_cost=self._later_cost(),
            step_seconds=seconds_per_step,
            metrics=self._metrics,
        )
        self._notifier.step(event)

    def _send_evaluation(self, name: Split, split: SplitResult, measured: Metrics) -> None:
        event = EvaluationEvent(
            split=name,
            epoch=self._progress.epoch,
            step=self._progress.step,
            metrics=split.metrics,
            loss=split.loss,
            measured=measured,
        )
        self._notifier.evaluation(event)

    def _remaining(self, seconds_per_step: float) -> float:
        steps = (self._steps - self._progress.step) * self._later_cost()
        return remaining(steps * seconds_per_step, limit=self._training.config.max_time, elapsed=self._seconds())

    def _later_cost(self) -> float:
        """1, unless the trainer says that later steps cost more."""
        later_cost = getattr(self._training.trainer, "later_cost", None)
        return float(later_cost(self._training.context)) if later_cost else 1.0

    def _save_is_due(self) -> bool:
        """Whether a checkpoint within the epoch is due."""
        interval, step = self._save_interval, self._progress.step
        if not self._is_within():
            return False
        if interval.steps:
            return step // interval.steps > self._saved_step // interval.steps
        return time.perf_counter() - self._saved >= (interval.seconds or 0)

    def _is_within(self) -> bool:
        """False after the last step of an epoch or of the training, which is saved in any case."""
        return self._progress.step % self._training.plan.batches != 0 and self._progress.step < self._steps

    def _save_within(self) -> None:
        self._read()
        self._save({}, best=False)

    def _save(self, metrics: dict[str, float], *, best: bool) -> None:
        training, progress = self._training, self._progress
        own = ProcessState(trainer=training.trainer.state_dict(), sums=progress.sums, items=progress.items)
        if max(training.engine.gather(progress.not_finite)):
            return
        processes = training.engine.gather(own)
        progress.seconds = self._seconds()

        def fill(directory: Path) -> None:
            write_state(
                directory,
                model=training.saved_model,
                modules=training.modules,
                optimizers=training.optimizers,
                average=training.average,
                trainer=training.trainer,
                progress=progress,
                scaler=training.engine.scaler_state(),
                callbacks=self._notifier.states(),
                processes=processes,
            )

        event = CheckpointEvent(
            step=progress.step, epoch=progress.epoch, metrics=recorded(metrics), best=best, fill=fill
        )
        self._notifier.checkpoint(event)
        self._saved = time.perf_counter()
        self._saved_step = progress.step

    def _finish(self, reason: str) -> Outcome:
        if not self._has_best_measured():
            return self._stop("interrupted", self._signals.name)
        if not self._is_tested():
            return self._stop("interrupted", self._signals.name)
        return self._stop("finished", reason)

    def _is_tested(self) -> bool:
        """Measure the test split with the best weights, once; False after a signal."""
        if self._test is None:
            return True
        measured = self._training.task.tensors.metrics(self._training.context.problem)
        split = self._test(measured)
        if split is None:
            return False
        self._tested, self._test_metrics = measured, recorded(split.metrics)
        self._send_evaluation("test", split, measured)
        return True

    def _has_best_measured(self) -> bool:
        """Measure the best epoch again where it lies before a resume, for its pictures; False after a signal."""
        if self._best_measured is not None or self._progress.best_epoch is None or self._load_best is None:
            return True
        self._load_best()
        measured = self._training.task.tensors.metrics(self._training.context.problem)
        if self._measure(measured) is None:
            return False
        self._best_measured = measured
        return True

    def _interrupt(self) -> Outcome:
        self._read()
        if self._progress.step > self._saved_step:
            self._save({}, best=False)
        self._notifier.raise_failure()
        if self._signals.received == CALLBACK_FAILED:
            raise CallbackFailed("a callback failed in the process that has the callbacks; it says which")
        return self._stop("interrupted", self._signals.name)

    def _stop(self, status: Literal["finished", "interrupted"], reason: str) -> Outcome:
        progress = self._progress
        progress.seconds = self._seconds()
        splits = {"validation": self._best_measured, "test": self._tested} if status == "finished" else {}
        measured = {split: metrics for split, metrics in splits.items() if metrics is not None}
        outcome = Outcome(
            status=status,
            reason=reason,
            signal=self._signals.received if status == "interrupted" else None,
            epochs=progress.epoch,
            steps=progress.step,
            seconds=progress.seconds,
            best_epoch=progress.best_epoch,
            metrics=recorded(progress.best),
            test=self._test_metrics,
            intervals=intervals(measured),
            calibration=calibration_errors(measured),
            best_measured=self._best_measured if status == "finished" else None,
        )
        self._notifier.end(outcome)
        return outcome


def remaining(steps: float, *, limit: float | None, elapsed: float) -> float:
    """Seconds to the end: those of the steps that are left, or to the limit of time where that comes first."""
    return steps if limit is None else min(steps, max(limit - elapsed, 0.0))


def fit(
    training: Training,
    *,
    callbacks: Sequence[Callback],
    signals: StopSignals,
    load_best: Callable[[], None] | None = None,
    test: Callable[[Metrics], SplitResult | None] | None = None,
) -> Outcome:
    """Train to the end or to the first signal, and say how it ended; Diverged when the loss is not finite.

    `load_best` puts the best checkpoint into the model that is evaluated, where another process had measured it.
    `test` measures the test split with the best weights; it is called once, after the last epoch.
    CallbackFailed when a callback raised; a checkpoint is saved before.
    """
    notifier = Notifier(callbacks, training.progress)
    try:
        outcome = Fit(training, notifier=notifier, signals=signals, load_best=load_best, test=test).run()
    except BaseException as error:
        told = _located(training, error) if isinstance(error, Diverged) else error
        notifier.failed(told)
        notifier.close()
        if told is error:
            raise
        raise told from error
    notifier.close()
    notifier.raise_failure()
    return outcome


def _located(training: Training, error: Diverged) -> Diverged:
    progress = training.progress
    where = f"epoch {progress.epoch + 1}, step {progress.step}"
    return Diverged(f"{training.config.model} diverged at {where}: {error.message}", hint=error.hint)
