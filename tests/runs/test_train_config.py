"""Every option resolved, and replayed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zoo.api.errors import BadFile, UsageError
from zoo.api.problem import ImageInput
from zoo.api.recipe import Recipe
from zoo.api.specs import ModelSpec
from zoo.runs.train_config import (
    TrainConfig,
    choose_recipe,
    config_json,
    read_config,
    resolve_config,
    sized_input,
)
from zoo.runs.train_options import TrainOptions

RECIPES = {"digits": Recipe(epochs=3), "default": Recipe(epochs=30), "finetune": Recipe(epochs=7)}
SPEC = ModelSpec(
    name="net",
    task="image-classification",
    builder="some.where:net",
    trainer="classification",
    input=ImageInput(size=(224, 224), resize=256, min_size=32),
    recipes=RECIPES,
)


def resolved(**options: Any) -> TrainConfig:
    """The config of a run of `net` with these options."""
    return resolve_config(
        TrainOptions(**options),
        spec=SPEC,
        full_name="some/net",
        plugin="some",
        plugin_version="1.2",
        default_data="digits",
        trainer_options={"margin": 0.5},
    )


def test_the_recipe_is_chosen_by_data_and_weights() -> None:
    assert choose_recipe(SPEC, "digits", None).epochs == 3
    assert choose_recipe(SPEC, "./photos", None).epochs == 30
    assert choose_recipe(SPEC, "digits", "imagenet").epochs == 7


def test_options_beat_the_config_file_and_set_beats_options(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config_json(resolved(epochs=11, lr=0.5, seed=4, batch_size=8))))
    replayed = resolved(config=file, lr=0.25, settings=("recipe.batch_size=2",))
    assert (replayed.recipe.epochs, replayed.recipe.lr, replayed.recipe.batch_size, replayed.seed) == (11, 0.25, 2, 4)


def test_a_config_survives_its_file(tmp_path: Path) -> None:
    config = resolved(max_time="2h", max_steps=9, threads=2, settings=("options.margin=1", "input_size=64,64"))
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config_json(config)))
    assert read_config(file) == config
    assert (config.max_time, config.recipe.options["margin"]) == (7200.0, 1.0)


def test_a_recipes_size_replaces_size_and_crop() -> None:
    image = resolved(settings=("input_size=64,96",)).input
    assert isinstance(image, ImageInput) and (image.size, image.resize) == ((64, 96), None)
    with pytest.raises(UsageError, match="input_size is 28x28, but this model needs at least 32 pixels"):
        resolved(settings=("input_size=28,28",))


def test_sides_that_are_no_multiples_get_the_nearest_that_are() -> None:
    image = ImageInput(size=(96, 96), min_size=64, multiple=32)
    with pytest.raises(UsageError, match="input_size is 84x130, but this model needs multiples of 32") as error:
        sized_input(image, Recipe(input_size=(84, 130)))
    assert error.value.hint == "say --set recipe.input_size=96,128"
    assert (image.demand((96, 128)), image.nearest((1, 79))) == ("", (64, 64))
    assert sized_input(image, Recipe(input_size=(96, 128))) == replace(image, size=(96, 128))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"max_steps": 0}, "--max-steps is 0"),
        ({"threads": 0}, "--threads is 0"),
        ({"limit_train": -1}, "--limit-train is -1"),
        ({"seed": -1}, "--seed is -1"),
        ({"devices": 3, "batch_size": 64}, "a batch of 64 cannot be shared evenly by 3 devices"),
        ({"freeze": "backbone"}, "would keep random weights for ever"),
        ({"batch_size": 0}, "the batch size is 0"),
        ({"lr": -0.1}, "the learning rate is -0.1"),
        ({"max_time": "soon"}, "--max-time 'soon' is not a time"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        resolved(**options)
    assert sentence in error.value.message


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not a readable config"),
        ("[]", "names no schema"),
        ('{"schema": 99}', "was written by a newer zoo"),
        ('{"schema": 1, "modle": "x"}', "is not a valid TrainConfig"),
    ],
)
def test_a_file_that_is_no_config_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "config.json"
    file.write_text(text)
    with pytest.raises(BadFile, match=sentence):
        read_config(file)


def test_a_config_of_another_model_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config_json(resolved()) | {"model": "other/net"}))
    with pytest.raises(UsageError, match="trains other/net, not some/net"):
        resolved(config=file)


@pytest.mark.parametrize("early", [{"max_time": "5s"}, {"stop_after": 5}, {"patience": 2}])
def test_pictures_are_whole_from_the_start_where_the_training_may_stop_early(early: dict[str, Any]) -> None:
    small = ("recipe.options.first_size=0.5",)
    recipes = {"digits": Recipe(options={"first_size": 0.5})}

    def trained(**options: Any) -> TrainConfig:
        return resolve_config(
            TrainOptions(**options),
            spec=replace(SPEC, recipes=recipes),
            full_name="some/net",
            plugin="some",
            plugin_version="1.2",
            default_data="digits",
            trainer_options={"first_size": 1.0},
        )

    assert trained().recipe.options == {"first_size": 0.5} and trained().choices == ()
    config = trained(**early)
    assert config.recipe.options == {"first_size": 1.0}
    assert [(choice.name, choice.value) for choice in config.choices] == [("options.first_size", "1")]
    assert "may stop before its last steps" in config.choices[0].reason
    assert trained(**early, settings=small).recipe.options == {"first_size": 0.5}
