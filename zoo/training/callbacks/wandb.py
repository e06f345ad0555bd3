"""Sends a training to Weights & Biases: options, numbers of every epoch, the test."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from zoo.api.callback import Callback, CallbackRun, EpochResult, EvaluationEvent, FailureEvent, Outcome, StartEvent
from zoo.training.callbacks.metrics_csv import row


class WandbCallback(Callback):
    """One run of Weights & Biases for a training, the same one after a resume.

    Its own variables say where: WANDB_MODE (offline keeps everything in the run directory), WANDB_PROJECT.
    """

    def __init__(self, run: CallbackRun) -> None:
        self._run = run
        self._id = ""
        self._tracked: Any = None

    def state_dict(self) -> Mapping[str, Any]:
        """The identifier of its run."""
        return {"id": self._id}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with the same run."""
        self._id = str(state["id"])

    def on_start(self, start: StartEvent) -> None:
        """Begin its run with every option, or go on with it."""
        import wandb  # noqa: PLC0415  an extra

        self._tracked = wandb.init(
            id=self._id or None,
            resume="allow" if self._id else None,
            name=f"{self._run.model} {self._run.path.name}",
            dir=str(self._run.path),
            config={**self._run.config, "monitor": start.monitor.metric},
            settings=wandb.Settings(silent=True, console="off"),
        )
        self._id = self._tracked.id

    def on_epoch_end(self, result: EpochResult) -> None:
        """Every number of the epoch, by step."""
        self._tracked.log(finite(row(result)), step=result.step)

    def on_evaluation(self, event: EvaluationEvent) -> None:
        """The test, in the summary."""
        if event.split == "test":
            self._tracked.summary.update({f"test/{name}": value for name, value in finite(event.metrics).items()})

    def on_end(self, outcome: Outcome) -> None:
        """The best epoch, in the summary; then everything is sent."""
        best = {f"best/{name}": value for name, value in finite(outcome.metrics).items()}
        self._tracked.summary.update({**best, "status": outcome.status})
        self._finish(0 if outcome.status == "finished" else 1)

    def on_failure(self, event: FailureEvent) -> None:
        """The error, in the summary."""
        if self._tracked is not None:
            self._tracked.summary["error"] = event.message
            self._finish(1)

    def _finish(self, code: int) -> None:
        self._tracked.finish(exit_code=code)
        self._tracked = None


def finite(numbers: Mapping[str, float]) -> dict[str, float]:
    """The numbers that can be drawn."""
    return {name: float(value) for name, value in numbers.items() if isfinite(value)}
