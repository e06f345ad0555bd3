"""`zoo train resnet`: the pictures decide which model it is, everywhere else the name means one model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import zoo
from tests.tiny import tiny_run
from zoo.api.data import DataCard, DataRequest, DataSource
from zoo.api.errors import UsageError
from zoo.api.problem import Json
from zoo.models.target import RunTarget, find_target
from zoo.runs.train_options import TrainOptions
from zoo.training.launch.request import TrainingRequest, choice_sentences, resolve_training, suit_to_data


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(name="catalog", scope="module")
def _catalog() -> zoo.Catalog:
    return zoo.Catalog.discover()


def suited(catalog: zoo.Catalog, side: int, options: TrainOptions | None = None) -> TrainingRequest:
    request = resolve_training("resnet", options or TrainOptions(), catalog=catalog)
    sides: list[Json] = [side, side]
    card = DataCard(
        source=DataSource(request=DataRequest(source="x"), format="class-folders"),
        splits={"train": range(500), "validation": range(50)},
        classes=("cat", "dog"),
        facts={"channels": 3, "height": sides, "width": sides},
    )
    return suit_to_data(request, card)


@pytest.mark.parametrize(
    ("side", "model"), [(28, "resnet/resnet8"), (64, "resnet/resnet8"), (65, "torchvision/resnet18")]
)
def test_the_member_is_that_for_the_pictures(catalog: zoo.Catalog, side: int, model: str) -> None:
    request = suited(catalog, side)
    assert (request.entry.full_name, request.config.model) == (model, model)
    assert request.output.parent == Path("runs") / model.rpartition("/")[2]
    (sentence, *_) = choice_sentences(request.config)
    name = model.rpartition("/")[2]
    assert sentence == (
        f"model {name}: the pictures are {side}x{side}; resnet is resnet8 for pictures up to 64 px, resnet18 above"
    )


def test_the_users_options_hold_for_the_member(catalog: zoo.Catalog) -> None:
    request = suited(catalog, 28, TrainOptions(epochs=2, output=Path("new"), input_size=20))
    assert (request.config.recipe.epochs, request.output) == (2, Path("new"))
    assert request.config.recipe.input_size == (20, 20)


def test_elsewhere_the_name_is_one_model(catalog: zoo.Catalog) -> None:
    assert catalog.model("resnet").full_name == "torchvision/resnet18"
    assert [entry.full_name for entry in catalog.family("resnet")] == ["resnet/resnet8", "torchvision/resnet18"]
    assert catalog.family("resnet18") == catalog.family("lenet") == ()
    request = resolve_training("resnet@imagenet1k_v1", TrainOptions(), catalog=catalog)
    assert (request.entry.full_name, request.family) == ("torchvision/resnet18", ())


def test_a_run_of_a_member_is_meant_by_the_familys_name(catalog: zoo.Catalog) -> None:
    request = suited(catalog, 28)
    run = tiny_run(Path("runs/resnet8/a"), model="resnet/resnet8")
    run.configure(replace(run.config, recipe=request.config.recipe, input=request.config.input))
    again = resolve_training("resnet", TrainOptions(config=run.path), catalog=catalog)
    assert (again.entry.full_name, again.family) == ("resnet/resnet8", ())
    tuned = resolve_training("resnet", TrainOptions(weights=run.path), catalog=catalog)
    assert tuned.entry.full_name == "resnet/resnet8"
    target = find_target(f"resnet@{run.path}", catalog)
    assert isinstance(target, RunTarget) and (target.model.full_name, target.whole) == ("resnet/resnet8", None)


def test_pretrained_is_the_default_weights(catalog: zoo.Catalog) -> None:
    request = resolve_training("resnet50", TrainOptions(pretrained=True), catalog=catalog)
    assert request.config.weights == "torchvision/resnet50@torchvision/imagenet1k_v2"
    with pytest.raises(UsageError, match="no weights are published for resnet/resnet8"):
        resolve_training("resnet8", TrainOptions(pretrained=True), catalog=catalog)
    with pytest.raises(UsageError, match="both name weights"):
        resolve_training("resnet50", TrainOptions(pretrained=True, weights="imagenet1k_v1"), catalog=catalog)
