"""The training loop, for every task and every trainer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, Literal

from zoo.api.callback import (
    ALL_EPOCHS,
    ALL_STEPS,
    TIME_IS_UP,
    Callback,
    EpochResult,
    Outcome,
)
from zoo.api.data import counted
from zoo.api.errors import Diverged
from zoo.api.task import Batch, Metrics
from zoo.api.trainer import StepOutput
from zoo.training.loop.augmenting import augmented
from zoo.training.loop.batches import channels_last, on_device, read_batches
from zoo.training.loop.components import Training
from zoo.training.loop.ending import Ending
from zoo.training.loop.notify import Notifier
from zoo.training.loop.progress_events import current_rate, evaluation_event, start_event, step_event
from zoo.training.loop.saving import CheckpointSaver
from zoo.training.loop.signals import StopSignals
from zoo.training.loop.split_metrics import SplitResult, measure_split, same_everywhere
from zoo.training.loop.state import not_finite
from zoo.training.loop.stopping import StopRule
from zoo.training.recipe.fake_quantization import fake_quantized

MAX_UNREAD_LOSSES: Final = 64
"""Losses stay on the device until there are so many, and are then read at once."""
EVENT_SECONDS: Final = 0.1
"""Seconds between two step events."""


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
        self._progress = training.progress
        self._notifier = notifier
        self._signals = signals
        self._planned = training.context.total_steps
        accumulate, asked = training.config.recipe.accumulate, training.config.stop_after
        self._steps = self._planned if asked is None else min(self._planned, -(-asked // accumulate) * accumulate)
        self._unread: list[StepOutput] = []
        self._began = time.perf_counter() - training.progress.seconds
        self._saver = CheckpointSaver(training, notifier, steps=self._steps)
        self._stops = StopRule(training, notifier, signals, self._saver, seconds=self._seconds)
        self._metrics: dict[str, float] = {}
        self._ending = Ending(training, notifier, validate=self._measure, load_best=load_best, test=test)

    def run(self) -> Outcome:
        """Train to the end, or until a signal comes."""
        self._notifier.start(start_event(self._training, steps=self._steps), self._training.callback_states)
        progress = self._progress
        patience = self._training.config.recipe.patience
        while progress.step < self._steps:
            # checked before an epoch, so that a run that was killed after its last epoch does not train another
            if patience is not None and progress.stale >= patience:
                return self._finish(f"no better for {counted(patience, 'epoch')}")
            self._train_epoch()
            if self._stops.interrupted() or not self._end_epoch() or self._stops.callback_failed():
                return self._interrupt()
            if self._stops.out_of_time():
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
        context, epoch = training.context, progress.epoch
        learn = fake_quantized(training.trainer.step) if context.recipe.fake_quantize else training.trainer.step
        unread, timer, autocast = self._unread, time.perf_counter, training.engine.autocast
        plain = training.engine.precision == "32" and training.engine.world == 1
        started, due = timer(), timer() + EVENT_SECONDS
        batches_before, step = progress.step, progress.step
        for raw in read_batches(training.train, batches, workers=training.workers, pinned=training.engine.pins):
            context.begin(step, epoch)
            if plain:
                output = learn(context, self._ready(raw))
            else:
                with context.whole_batch():
                    batch = self._ready(raw)
                    with autocast():
                        output = learn(context, batch)
            unread.append(output)
            step += 1
            progress.step = step
            if len(unread) >= MAX_UNREAD_LOSSES:
                self._read()
            if timer() >= due:
                self._send_step((timer() - started) / (step - batches_before), step - first)
                due = timer() + EVENT_SECONDS
            if self._stops.stops_at(step, self._save_within):
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
        losses, items = self._losses()
        seconds, before = self._seconds(), progress.seconds
        progress.seconds = seconds
        progress.not_finite = max(training.engine.gather(progress.not_finite))
        loss = training.engine.tell(split.loss)
        best = progress.end_epoch(metrics, training.monitor, loss=loss)
        if best:
            self._ending.best_measured = measured
        self._metrics = metrics
        result = EpochResult(
            epoch=progress.epoch,
            step=progress.step,
            seconds=seconds,
            rate=current_rate(training),
            speed=items / max(seconds - before, 1e-9),
            losses=losses,
            metrics=metrics,
            validation_loss=loss,
            answers=split.answers,
            labels=split.labels,
            classified=split.classified,
            best=best,
            measured=measured,
        )
        self._notifier.evaluation(evaluation_event(training, "validation", split, measured))
        self._notifier.epoch_end(result)
        self._saver.save(metrics, best=best, seconds=self._seconds())
        return True

    def _losses(self) -> tuple[dict[str, float], float]:
        """The mean losses of the epoch over the items of all processes, and how many items those are."""
        progress = self._progress
        *sums, items = self._training.engine.sum([*progress.sums.values(), float(progress.items)])
        return {name: total / max(items, 1) for name, total in zip(progress.sums, sums, strict=True)}, items

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

    # --- checkpoints and the end ---

    def _send_step(self, seconds_per_step: float, batch: int) -> None:
        self._read()
        event = step_event(
            self._training,
            metrics=self._metrics,
            batch=batch,
            steps=self._steps,
            seconds_per_step=seconds_per_step,
            elapsed=self._seconds(),
        )
        self._notifier.step(event)

    def _save_within(self) -> None:
        """Save between two evaluations."""
        self._read()
        self._saver.save({}, best=False, seconds=self._seconds())

    def _finish(self, reason: str) -> Outcome:
        if not self._ending.is_measured():
            return self._stop("interrupted", self._signals.name)
        return self._stop("finished", reason)

    def _interrupt(self) -> Outcome:
        self._read()
        if self._saver.is_behind:
            self._save_within()
        self._stops.raise_failure()
        return self._stop("interrupted", self._signals.name)

    def _stop(self, status: Literal["finished", "interrupted"], reason: str) -> Outcome:
        self._progress.seconds = self._seconds()
        outcome = self._ending.outcome(status, reason, signal=self._signals.received)
        self._notifier.end(outcome)
        return outcome


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
