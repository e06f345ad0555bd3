"""Why a training stops before its end, agreed on by all its processes: a signal, a failed callback, its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from zoo.training.loop.components import Training
from zoo.training.loop.notify import CallbackFailed, Notifier
from zoo.training.loop.saving import CheckpointSaver
from zoo.training.loop.signals import StopSignals

CALLBACK_FAILED: Final = 1000
"""Stands for a signal where the processes agree to stop, since a callback failed in the one that has callbacks."""


class StopRule:
    """Asked after every step and every epoch."""

    def __init__(
        self,
        training: Training,
        notifier: Notifier,
        signals: StopSignals,
        saver: CheckpointSaver,
        *,
        seconds: Callable[[], float],
    ) -> None:
        self._training = training
        self._notifier = notifier
        self._signals = signals
        self._saver = saver
        self._seconds = seconds

    def stops_at(self, step: int, save: Callable[[], None]) -> bool:
        """True between optimiser steps after a signal or when the time is up; `save` is called where that is due."""
        engine, saver = self._training.engine, self._saver
        if step % self._training.config.recipe.accumulate:
            return False
        if engine.world == 1:
            if saver.is_due:
                save()
            return self.interrupted() or self.out_of_time()
        stop, saves = engine.wishes.take()  # what any process asked for before this step
        due = saver.is_due
        ends = self._signals.received is not None or self._notifier.failure is not None or self._time_is_over()
        engine.wishes.own = (ends, due and not saver.by_steps)
        if due if saver.by_steps else saves and saver.is_within_epoch:
            save()
        return stop and (self.interrupted() or self.out_of_time())

    def interrupted(self) -> bool:
        """Whether a signal came to any process, or a callback failed."""
        received = CALLBACK_FAILED if self._notifier.failure else self._signals.received
        if self._training.engine.world == 1:
            return received is not None
        signal_number = max(self._training.engine.gather(received or 0))
        if signal_number:  # else one that came during the exchange would be forgotten
            self._signals.received = signal_number
        return signal_number > 0

    def callback_failed(self) -> bool:
        """Whether one failed after the epoch, on all processes alike."""
        failed = self._training.engine.tell(self._notifier.failure is not None)
        if failed:
            self._signals.received = CALLBACK_FAILED
        return failed

    def raise_failure(self) -> None:
        """CallbackFailed where a callback failed, here or in the process that has the callbacks."""
        self._notifier.raise_failure()
        if self._signals.received == CALLBACK_FAILED:
            raise CallbackFailed("a callback failed in the process that has the callbacks; it says which")

    def out_of_time(self) -> bool:
        """Whether --max-time has passed, on all processes alike."""
        return self._training.config.max_time is not None and self._training.engine.tell(self._time_is_over())

    def _time_is_over(self) -> bool:
        limit = self._training.config.max_time
        return limit is not None and self._seconds() >= limit
