"""--set recipe.KEY=VALUE, and numbers that cannot be meant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zoo.api.errors import UsageError
from zoo.api.recipe import Augment, Recipe
from zoo.runs.recipe_overrides import apply_settings, check_recipe, recipe_settings


def test_a_recipe_is_spelt_as_it_is_set() -> None:
    recipe = Recipe(
        epochs=3, lr=2.5e-4, betas=(0.8, 0.95), input_size=(32, 48), augment=Augment(flip=True), options={"margin": 0.5}
    )
    options = {"margin": 0.3, "deep": False}
    spelt = recipe_settings(recipe, options)
    assert dict(spelt)["recipe.lr"] == "0.00025"
    assert dict(spelt)["recipe.patience"] == "none"
    assert (dict(spelt)["recipe.options.margin"], dict(spelt)["recipe.options.deep"]) == ("0.5", "false")
    again = apply_settings(Recipe(), [f"{name}={value}" for name, value in spelt], options)
    assert again == replace(recipe, options={"margin": 0.5, "deep": False})


def test_every_kind_of_value_is_read() -> None:
    settings = ["recipe.epochs=3", "lr=1", "clip=0.5", "patience=none", "optimizer=sgd", "betas=0.8,0.95"]
    settings += ["input_size=[32,48]", "channels_last=false", "augment.shift=0.1", "augment.flip=true"]
    changed = apply_settings(Recipe(patience=3), settings, {})
    assert changed == Recipe(
        epochs=3,
        lr=1.0,
        clip=0.5,
        patience=None,
        optimizer="sgd",
        betas=(0.8, 0.95),
        input_size=(32, 48),
        channels_last=False,
        augment=Augment(shift=0.1, flip=True),
    )


def test_a_trainers_own_numbers_keep_their_kind() -> None:
    declared = {"auxiliary_weight": 0.4, "rounds": 2}
    changed = apply_settings(Recipe(), ["recipe.options.auxiliary_weight=1", "options.rounds=5"], declared)
    assert changed.options == {"auxiliary_weight": 1.0, "rounds": 5}


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("recipe.epochs=1.5", "'1.5' is not a whole number"),
        ("recipe.epochs=true", "'true' is not a whole number"),
        ("recipe.lr=fast", "'fast' is not a number"),
        ("recipe.lr=nan", "'nan' is not a number"),
        ("recipe.clip=x", "'x' is not a number or none"),
        ("recipe.optimizer=lion", "'lion' is not one of adamw, adam, sgd"),
        ("recipe.betas=0.9", "'0.9' is not 2 numbers with commas between"),
        ("recipe.betas=0.9,x,0.95", "'0.9,x,0.95' is not 2 numbers with commas between"),
        ("recipe.betas=0.9,inf", "'0.9,inf' is not 2 numbers with commas between"),
        ("recipe.input_size=1e1,28", "'1e1,28' is not 2 numbers"),
        ("recipe.epoch=3", "there is no setting 'epoch'; did you mean 'epochs'?"),
        ("recipe.augment=1", "augment is a group; set one of augment.shift"),
        ("recipe.augment.blur=1", "there is no setting 'blur'"),
        ("recipe.lr.max=1", "lr has nothing inside it"),
        ("recipe.options.margin=1", "there is no option of this trainer 'margin'"),
        ("recipe.epochs", "is not of the form recipe.KEY=VALUE"),
    ],
)
def test_a_wrong_setting_is_a_sentence(setting: str, sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        apply_settings(Recipe(), [setting], {"rounds": 2})
    assert sentence in error.value.message


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"batch_size": 0}, "the batch size is 0; it must be at least 1"),
        ({"batch_size": -4}, "the batch size is -4"),
        ({"epochs": 0}, "the number of epochs is 0"),
        ({"lr": 0.0}, "the learning rate is 0; it must be greater than 0"),
        ({"lr": -1.0}, "the learning rate is -1"),
        ({"clip": 0.0}, "clip is 0"),
        ({"patience": 0}, "patience is 0"),
        ({"ema": 1.0}, "ema is 1"),
        ({"warmup": -0.1}, "warmup is -0.1"),
        ({"weight_decay": -1.0}, "must not be negative"),
        ({"input_size": (0, 3)}, "input_size is (0, 3)"),
    ],
)
def test_numbers_that_no_training_can_have_are_refused(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        check_recipe(replace(Recipe(), **change))  # type: ignore[arg-type]
    assert sentence in error.value.message
