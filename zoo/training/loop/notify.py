"""Sends the events of a training to its callbacks; an error in one of them ends the training, which is saved first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.api.callback import (
    Callback,
    CheckpointEvent,
    EpochResult,
    EvaluationEvent,
    FailureEvent,
    Outcome,
    SavedEvent,
    StartEvent,
    StepEvent,
)
from zoo.api.errors import PluginError, ZooError, describe_error
from zoo.training.loop.progress import Progress


class OwnCallback(Callback):
    """A callback of which a run consists: its errors are zoo's own, and end the training at once."""


class CallbackFailed(PluginError):
    """A callback that raised; the message names it, its method, the epoch and the step."""


class Notifier:
    """The callbacks of one training.

    The first error of one that is not zoo's own is kept in `failure` until a checkpoint can be saved; this callback
    gets no more events but `on_failure` and `on_close`.
    """

    def __init__(self, callbacks: Sequence[Callback], progress: Progress) -> None:
        self._callbacks = tuple(callbacks)
        self._progress = progress
        self._failed: Callback | None = None
        self.failure: CallbackFailed | None = None

    def start(self, event: StartEvent, states: Mapping[str, Mapping[str, Any]]) -> None:
        """Give every callback its state back, then say that the training begins; an error is raised at once."""
        for callback in self._callbacks:
            if state := states.get(callback.name):
                self._call(callback, "load_state_dict", state)
            self._call(callback, "on_start", event)
            self.raise_failure()

    def step(self, event: StepEvent) -> None:
        """Send a step event."""
        self._send("on_step", event)

    def evaluation(self, event: EvaluationEvent) -> None:
        """Say that a split was measured."""
        self._send("on_evaluation", event)

    def epoch_end(self, result: EpochResult) -> None:
        """Say what an epoch gave."""
        self._send("on_epoch_end", result)

    def checkpoint(self, event: CheckpointEvent) -> None:
        """Have a checkpoint written, then say where it is."""
        written = [path for path in self._send("on_checkpoint", event) if isinstance(path, Path)]
        for path in written:
            saved = SavedEvent(path=path, step=event.step, epoch=event.epoch, metrics=event.metrics, best=event.best)
            self._send("on_saved", saved)

    def end(self, outcome: Outcome) -> None:
        """Say how the training ended; an error is raised at once."""
        self._send("on_end", outcome)
        self.raise_failure()

    def failed(self, error: BaseException) -> None:
        """Say that the training ends with an error; what a callback raises then is a note of that error."""
        message = error.message if isinstance(error, ZooError) else describe_error(error)
        event = FailureEvent(message=message, epoch=self._progress.epoch, step=self._progress.step)
        for callback in self._callbacks:
            try:
                callback.on_failure(event)
            except Exception as other:
                error.add_note(f"{_who(callback)} failed in on_failure, too: {describe_error(other)}")

    def close(self) -> None:
        """Close every callback; the first error of those that are not zoo's own is raised after all are closed."""
        for callback in self._callbacks:
            self._call(callback, "on_close")

    def states(self) -> dict[str, Mapping[str, Any]]:
        """What the callbacks must know again, by name."""
        named = ((callback.name, self._call(callback, "state_dict")) for callback in self._callbacks)
        return {name: state for name, state in named if state}

    def raise_failure(self) -> None:
        """Raise the error of a callback, if there was one."""
        if self.failure is not None:
            raise self.failure from self.failure.__cause__

    def _send(self, method: str, event: object) -> list[object]:
        return [self._call(callback, method, event) for callback in self._callbacks if callback is not self._failed]

    def _call(self, callback: Callback, method: str, *arguments: object) -> Any:
        try:
            return getattr(callback, method)(*arguments)
        except Exception as error:
            if isinstance(callback, OwnCallback):
                raise
            if self.failure is None:
                self._failed, self.failure = callback, self._described(callback, method, error)
            return None

    def _described(self, callback: Callback, method: str, error: Exception) -> CallbackFailed:
        where = f"in {method}, epoch {self._progress.epoch + 1}, step {self._progress.step:,}"
        reason = error.message if isinstance(error, ZooError) else describe_error(error)
        failure = CallbackFailed(f"{_who(callback)} failed {where}: {reason}")
        failure.__cause__ = error
        return failure


def _who(callback: Callback) -> str:
    kind = type(callback)
    return f"the callback {kind.__qualname__} of {kind.__module__}"
