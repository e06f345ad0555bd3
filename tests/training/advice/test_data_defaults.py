"""What the data decide of a training: one rule after another, with exact numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

import zoo
from zoo.api.data import DataCard, DataRequest, DataSource
from zoo.api.recipe import Augment, Recipe
from zoo.api.specs import ModelSpec
from zoo.training.advice.data_defaults import DataFacts, choose_member, facts_of, picture_size, suit_recipe

SPEC = ModelSpec(
    name="net", task="image-classification", builder="a:b", trainer="t", input=zoo.ImageInput(size=(224, 224))
)
RECIPE = Recipe(epochs=16, batch_size=64, lr=2e-3, augment=Augment(flip=True), items=300)
PHOTOS = DataFacts(items=300, picture=(480, 640), classes=("cat", "dog"))
DIGITS = DataFacts(items=4_500, picture=(28, 28), one_size=True, grey=True, classes=tuple("0123456789"))


def suited(recipe: Recipe, facts: DataFacts, spec: ModelSpec = SPEC, **options: object) -> Recipe:
    return suit_recipe(recipe, facts, spec=spec, **options).recipe  # type: ignore[arg-type]


def reasons(recipe: Recipe, facts: DataFacts, spec: ModelSpec = SPEC) -> dict[str, str]:
    choices = suit_recipe(recipe, facts, spec=spec).choices
    return {choice.name: f"{choice.value}: {choice.reason}" for choice in choices}


# --- the input size ---


def test_small_pictures_keep_their_size_and_photographs_take_the_models() -> None:
    assert suited(RECIPE, DIGITS).input_size == (28, 28)
    assert suited(RECIPE, PHOTOS).input_size is None
    assert reasons(RECIPE, DIGITS)["input_size"] == (
        "28x28: the pictures are 28x28, smaller than the model's usual 224x224"
    )
    assert reasons(RECIPE, PHOTOS)["input_size"] == (
        "224x224: the model's usual size; nine in ten pictures are at most 480x640"
    )


@pytest.mark.parametrize(
    ("image", "size"),
    [
        (zoo.ImageInput(size=(224, 224), min_size=75), (75, 75)),
        (zoo.ImageInput(size=(224, 224), multiple=32, min_size=64), (64, 64)),
        (zoo.ImageInput(size=(16, 16)), None),
    ],
)
def test_the_size_is_one_that_the_model_takes(image: zoo.ImageInput, size: tuple[int, int] | None) -> None:
    assert suited(RECIPE, DIGITS, replace(SPEC, input=image)).input_size == size


def test_a_model_of_one_size_keeps_it_and_one_built_for_a_size_takes_squares() -> None:
    fixed = replace(SPEC, input=zoo.ImageInput(size=(300, 300), fixed_size=True))
    wide = replace(DIGITS, picture=(28, 40))
    assert suited(RECIPE, wide, fixed).input_size is None
    assert suited(RECIPE, wide, replace(fixed, needs=("image_size",))).input_size == (40, 40)
    assert suited(RECIPE, wide).input_size == (28, 40)


def test_small_objects_enlarge_the_input_up_to_twice_the_usual_side() -> None:
    usual = replace(SPEC, input=zoo.ImageInput(size=(320, 320), multiple=32))
    shot = DataFacts(items=1_000, picture=(1080, 1920), object_share=0.03)
    assert suited(RECIPE, shot, usual).input_size == (384, 384)  # 12 / 0.03 is 400, half way between
    assert suited(RECIPE, replace(shot, object_share=0.005), usual).input_size == (640, 640)
    assert suited(RECIPE, replace(shot, object_share=0.2), usual).input_size is None
    assert suited(RECIPE, replace(shot, picture=(96, 96), object_share=0.2), usual).input_size == (96, 96)


def test_generated_pictures_have_a_size_as_well() -> None:
    picture = zoo.ImageInput(size=(64, 64), fixed_size=True)
    spec = replace(SPEC, input=zoo.LatentInput(size=10, picture=picture), needs=("image_size",))
    assert suited(RECIPE, DIGITS, spec).input_size == (28, 28)


# --- augmentation ---


@pytest.mark.parametrize(
    ("classes", "flip"),
    [
        (("cat", "dog"), True),
        (("airplane", "automobile"), True),
        (("3", "7"), False),
        (("A", "B"), False),
        (("digit_0", "digit_1"), False),
        (("three", "seven"), False),
        (("turn left", "turn right"), False),
        (("turnLeft", "goStraight"), False),
        (("leftturn", "straight"), False),
        (("LEFT-HAND", "other"), False),
        (("digit0", "digit1"), False),
        (("clockwise", "still"), False),
        (("gauche", "droite"), False),
        (("lung_right", "heart"), False),
        (("café", "élan", "pâté"), True),
        (("n01440764", "n01443537"), True),
        (("bright", "dark"), True),
        (("left",), False),
        (("猫", "犬"), False),
    ],
)
def test_nothing_is_mirrored_where_that_may_change_the_class(classes: tuple[str, ...], flip: bool) -> None:
    assert suited(RECIPE, replace(PHOTOS, classes=classes)).augment.flip is flip


def test_small_grey_pictures_are_not_mirrored_whatever_their_names() -> None:
    letters = replace(DIGITS, classes=("alpha", "beta"))
    assert not suited(RECIPE, letters).augment.flip
    assert suited(RECIPE, replace(letters, picture=(96, 96))).augment.flip


def test_the_class_that_is_to_blame_is_named() -> None:
    facts = replace(PHOTOS, classes=("heart", "lung_right", "lung_left"))
    assert reasons(RECIPE, facts)["augment.flip"] == (
        "off: the class 'lung_right' may mean a character or a side, which is another one in the mirror"
    )


def test_masks_whose_classes_have_no_names_are_not_mirrored() -> None:
    assert reasons(RECIPE, replace(PHOTOS, classes=("class 0", "class 1")))["augment.flip"] == (
        "off: the class 'class 0' does not say what it means, and the mirror may make it another one"
    )


# --- batches, epochs, statistics ---


def test_texts_have_batches_and_epochs_and_nothing_of_pictures() -> None:
    spec = replace(SPEC, input=zoo.TokenInput(max_length=128))
    recipe = replace(RECIPE, augment=Augment(), items=5_000)
    suited_texts = suit_recipe(recipe, DataFacts(items=400, classes=("left", "right")), spec=spec)
    assert [choice.name for choice in suited_texts.choices] == ["batch_size", "lr", "epochs"]
    assert (suited_texts.recipe.batch_size, suited_texts.recipe.epochs) == (16, 30)


def test_few_items_make_smaller_batches_and_lower_rates() -> None:
    small = suited(RECIPE, PHOTOS)
    assert (small.batch_size, small.lr, small.epochs, small.batchnorm_momentum) == (16, 0.001, 16, 0.153)
    sgd = suited(replace(RECIPE, optimizer="sgd"), PHOTOS)
    assert (sgd.batch_size, sgd.lr) == (16, 0.0005)
    tiny = suited(RECIPE, replace(PHOTOS, items=10))
    assert (tiny.batch_size, tiny.epochs, tiny.batchnorm_momentum) == (8, 37, 0.5)
    assert reasons(RECIPE, replace(PHOTOS, items=10))["batch_size"] == (
        "8: 10 items make 1 step an epoch; batches of 64 would make 0"
    )
    large = suited(RECIPE, replace(PHOTOS, items=50_000))
    assert (large.batch_size, large.lr, large.epochs, large.batchnorm_momentum) == (64, 0.002, 8, None)
    assert reasons(RECIPE, PHOTOS)["lr"] == "0.001: 0.002 goes with larger batches"


def test_a_recipe_without_items_keeps_its_epochs_and_batches() -> None:
    recipe = replace(RECIPE, items=None, augment=Augment())
    assert suited(recipe, replace(PHOTOS, items=10)) == recipe
    assert suited(replace(recipe, input_size=(96, 96)), DIGITS) == replace(recipe, input_size=(96, 96))
    assert suited(recipe, DIGITS).input_size == (28, 28)


def test_what_the_user_chose_stays() -> None:
    kept = suited(RECIPE, DIGITS, keep={"epochs", "input_size", "augment.flip", "batch_size"})
    assert (kept.epochs, kept.input_size, kept.augment.flip, kept.batch_size) == (16, None, True, 64)
    assert suited(RECIPE, PHOTOS, keep={"lr"}).lr == RECIPE.lr
    assert suited(RECIPE, DIGITS, trained_input=True).input_size is None


# --- facts and families ---


def test_the_facts_come_from_the_card() -> None:
    card = DataCard(
        source=DataSource(request=DataRequest(source="x"), format="f"),
        splits={"train": range(50), "validation": range(5)},
        classes=("a", "b"),
        facts={"channels": 1, "height": [20, 900], "width": [20, 30], "common_size": [28, 30], "object_share": 0.5},
    )
    assert facts_of(card, limit=20) == DataFacts(
        items=20, picture=(28, 30), grey=True, classes=("a", "b"), object_share=0.5
    )
    assert picture_size(replace(card, facts={"height": [20, 900], "width": [20, 30]})) == (900, 30)
    assert picture_size(replace(card, facts={})) is None


def test_a_family_gives_its_member_for_the_longer_side() -> None:
    limits = (32, 64, None)
    sides = {28: 0, 32: 0, 33: 1, 64: 1, 65: 2}
    assert {side: choose_member(limits, replace(DIGITS, picture=(10, side))) for side in sides} == sides
    assert choose_member(limits, DataFacts(items=1)) == 2
