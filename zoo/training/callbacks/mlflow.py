"""Sends a training to MLflow: options, numbers of every epoch, the test, and the report."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any, Final, Literal

from zoo.api.callback import Callback, CallbackRun, EpochResult, EvaluationEvent, FailureEvent, Outcome, StartEvent
from zoo.training.callbacks.metrics_csv import row

if TYPE_CHECKING:
    from mlflow.entities import Metric

URI: Final = "MLFLOW_TRACKING_URI"
EXPERIMENT: Final = "MLFLOW_EXPERIMENT_NAME"
FOLDER: Final = "mlruns"
"""Below the current directory, where no server is named."""
MAX_PARAMETER: Final = 6000
"""Characters of a value that MLflow keeps."""
AT_ONCE: Final = 100
"""Parameters of one request."""


class MlflowCallback(Callback):
    """One run of MLflow for a training, the same one after a resume.

    MLflow's own variables say where: MLFLOW_TRACKING_URI, MLFLOW_EXPERIMENT_NAME.
    """

    def __init__(self, run: CallbackRun) -> None:
        self._run = run
        self._id = ""

    def state_dict(self) -> Mapping[str, Any]:
        """The identifier of MLflow's run."""
        return {"id": self._id}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with the same run of MLflow."""
        self._id = str(state["id"])

    def on_start(self, start: StartEvent) -> None:
        """Begin MLflow's run with every option as a parameter, or go on with it."""
        self._client = _client()
        if self._id:
            self._client.update_run(self._id, status="RUNNING")
            return
        name = os.environ.get(EXPERIMENT, "zoo")
        experiment = self._client.get_experiment_by_name(name)
        place = experiment.experiment_id if experiment else self._client.create_experiment(name)
        tags = {"model": self._run.model, "task": self._run.task, "data": self._run.data, "run": str(self._run.path)}
        created = self._client.create_run(place, run_name=f"{self._run.model} {self._run.path.name}", tags=tags)
        self._id = created.info.run_id
        from mlflow.entities import Param  # noqa: PLC0415  an extra

        parameters = [Param(key, value[:MAX_PARAMETER]) for key, value in flat(self._run.config)]
        parameters.append(Param("monitor", start.monitor.metric))
        for first in range(0, len(parameters), AT_ONCE):
            self._client.log_batch(self._id, params=parameters[first : first + AT_ONCE])

    def on_epoch_end(self, result: EpochResult) -> None:
        """Every number of the epoch, by step."""
        self._log({name: value for name, value in row(result).items() if name != "step"}, step=result.step)

    def on_evaluation(self, event: EvaluationEvent) -> None:
        """The test."""
        if event.split == "test":
            self._log({f"test/{name}": value for name, value in event.metrics.items()}, step=event.step)

    def on_end(self, outcome: Outcome) -> None:
        """The end, and metrics.csv beside it."""
        table = self._run.path / "metrics.csv"
        if table.is_file():
            self._client.log_artifact(self._id, str(table))
        self._finish("FINISHED" if outcome.status == "finished" else "KILLED")

    def on_failure(self, event: FailureEvent) -> None:
        """The error, as a tag."""
        if self._id:
            self._client.set_tag(self._id, "error", event.message)
            self._finish("FAILED")

    def _finish(self, status: Literal["FINISHED", "KILLED", "FAILED"]) -> None:
        self._client.set_terminated(self._id, status=status)

    def _log(self, numbers: Mapping[str, float], *, step: int) -> None:
        from mlflow.entities import Metric  # noqa: PLC0415  an extra

        now = int(time() * 1000)
        metrics: list[Metric] = [
            Metric(name, float(value), now, step) for name, value in numbers.items() if isfinite(value)
        ]
        self._client.log_batch(self._id, metrics=metrics)


def _client() -> Any:
    """MLflow's client; without a server the runs are kept in a folder, for which MLflow asks to be told."""
    place = os.environ.setdefault(URI, Path(FOLDER).absolute().as_uri())
    if "://" not in place or place.startswith("file:"):
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    from mlflow import MlflowClient  # noqa: PLC0415  an extra

    return MlflowClient()


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every value of nested records as text, by name: ("recipe.lr", "0.1"); nothing for None."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        elif value is not None and value not in ("", [], ()):
            yield f"{prefix}{name}", str(value)
