"""What a training is asked for: every name looked up, every mistake named before data or torch are needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import zoo
from tests.training.toy import catalog
from zoo.api.errors import OutputExists, UsageError
from zoo.runs.train_config import config_json
from zoo.runs.train_options import TrainOptions
from zoo.training.launch.request import TrainingRequest, resolve_training


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def resolve(model: str | None, options: TrainOptions) -> TrainingRequest:
    return resolve_training(model, options, catalog=zoo.Catalog.discover())


def test_a_request_holds_what_its_names_stand_for() -> None:
    request = resolve("resnet", TrainOptions(output=Path("new")))
    assert (request.entry.full_name, request.trainer.name) == ("torchvision/resnet18", "classification")
    assert (request.task.name, request.data_source.format) == ("image-classification", "digits")
    assert (request.weights, request.output, request.overwrite) == (None, Path("new"), False)


def test_model_at_tag_is_the_model_with_these_weights() -> None:
    request = resolve("cnn@digits", TrainOptions())
    assert request.config == resolve("cnn", TrainOptions(weights="cnn/cnn@digits")).config
    assert request.weights is not None
    assert (request.config.weights, request.weights.name) == ("cnn/cnn@digits", "cnn/cnn@cnn/digits")
    assert isinstance(request.config.input, zoo.ImageInput)
    assert not request.config.input.any_channels
    with pytest.raises(UsageError, match="cnn@digits names weights, and --weights v1 too"):
        resolve("cnn@digits", TrainOptions(weights="v1"))


def test_a_config_names_the_model(tmp_path: Path) -> None:
    request = resolve_training("rich", TrainOptions(seed=3), catalog=catalog())
    (tmp_path / "config.json").write_text(json.dumps(config_json(request.config)))
    again = resolve_training(None, TrainOptions(config=tmp_path / "config.json"), catalog=catalog())
    assert (again.entry.full_name, again.config) == (request.entry.full_name, request.config)
    with pytest.raises(UsageError, match="no MODEL is named"):
        resolve_training(None, TrainOptions(), catalog=catalog())


def test_an_output_that_is_taken_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    for overwrite in (False, True):
        with pytest.raises(OutputExists, match="taken"):
            resolve_training("rich", TrainOptions(output=Path("taken"), overwrite=overwrite), catalog=catalog())


@pytest.mark.parametrize(
    ("model", "options", "sentence"),
    [
        ("encoder", TrainOptions(), "is built from weights alone"),
        ("conv_autoencoder@digits", TrainOptions(freeze="backbone"), "does not say which of its layers is the head"),
    ],
)
def test_what_a_model_cannot_do_is_refused(model: str, options: TrainOptions, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        resolve(model, options)
