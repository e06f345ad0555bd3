"""MLflow and Weights & Biases, both without a network."""

from __future__ import annotations

import csv
import signal
from pathlib import Path

import pytest

from tests.training.toy import catalog as toys
from zoo.api.callback import Callback, EpochResult
from zoo.registry.catalog import Catalog
from zoo.registry.discovery import installed_candidates
from zoo.runs.train_options import TrainOptions
from zoo.training.launch.request import check_data, resolve_training
from zoo.training.launch.resume import resume
from zoo.training.launch.start import begin


class _Interrupt(Callback):
    """Ctrl-C after the second epoch."""

    def on_epoch_end(self, result: EpochResult) -> None:
        if result.epoch == 2:
            signal.raise_signal(signal.SIGINT)


def everything() -> Catalog:
    """The toys beside zoo's own callbacks."""
    zoo = [candidate for candidate in installed_candidates() if candidate.name == "zoo"]
    return Catalog(plugins=(*Catalog.discover(zoo).plugins, *toys().plugins))


def train(place: Path, name: str, *callbacks: Callback) -> str:
    options = TrainOptions(output=place, threads=1, workers=0, callbacks=(name,))
    request = resolve_training("plain", options, catalog=everything())
    assert request.config.callbacks == (f"zoo/{name}",)
    return begin(request, check_data(request, progress=lambda *_: None), callbacks=callbacks, say=print).outcome.status


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_STATE", str(tmp_path / "state"))


def test_mlflow_has_one_run_with_every_number_also_after_a_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "tracked").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    from mlflow import MlflowClient

    place = tmp_path / "run"
    assert train(place, "mlflow", _Interrupt()) == "interrupted"
    client = MlflowClient()
    experiment = client.get_experiment_by_name("zoo")
    assert experiment is not None
    (half,) = client.search_runs([experiment.experiment_id])
    assert (half.info.status, half.data.params["recipe.lr"], half.data.params["seed"]) == ("KILLED", "0.05", "0")
    ended = resume(place, catalog=everything(), say=print)
    (whole,) = client.search_runs([experiment.experiment_id])
    assert (whole.info.run_id, whole.info.status) == (half.info.run_id, "FINISHED")
    rows = list(csv.DictReader((place / "metrics.csv").open()))
    history = client.get_metric_history(whole.info.run_id, "train/loss")
    assert [(point.step, point.value) for point in history] == [
        (int(line["step"]), float(line["train/loss"])) for line in rows
    ]
    assert whole.data.metrics["test/share"] == ended.run.record.test["share"]
    assert [file.path for file in client.list_artifacts(whole.info.run_id)] == ["metrics.csv"]


def test_weights_and_biases_keeps_its_run_offline_and_goes_on_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    place = tmp_path / "run"
    assert train(place, "wandb", _Interrupt()) == "interrupted"
    assert resume(place, catalog=everything(), say=print).outcome.status == "finished"
    folders = sorted((place / "wandb").glob("offline-run-*"))
    assert len(folders) == 2 and len({folder.name.rpartition("-")[2] for folder in folders}) == 1
    files = [file for folder in folders for file in folder.glob("run-*.wandb")]
    assert len(files) == 2
    assert b"validation/share" in files[0].read_bytes() and b"test/share" in files[1].read_bytes()
