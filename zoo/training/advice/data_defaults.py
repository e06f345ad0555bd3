"""What the data decide of a training: the member of a family, then the numbers of its recipe, each with its reason.

Every rule is a function from the facts of the data, the recipe and the model's spec to a recipe.  A recipe that names
no `items` keeps its epochs and batches, and one that fixes an input size without naming `items` keeps that: so do the
recipes for embedded data ("digits").
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from zoo.api.data import DataCard, counted
from zoo.api.problem import ImageInput, Input, LatentInput
from zoo.api.recipe import Recipe
from zoo.api.specs import ModelSpec
from zoo.runs.train_config import Choice
from zoo.training.advice.sided_classes import sided_class

LEAST_STEPS: Final = 16
"""Optimiser steps that an epoch should have; fewer make the batches smaller."""
SMALLEST_BATCH: Final = 8
"""Batches are not made smaller than this: batch normalisation needs several items."""
MOST_REPEATS: Final = 6
"""The epochs of a small set are at most so many times those of the recipe."""
SAME: Final = 0.1
"""A relative change of the epochs below this is none."""
FORGOTTEN: Final = 0.05
"""What an epoch may leave of the running statistics that it began with."""
SLOWEST_MOMENTUM: Final = 0.01
"""Slower statistics than this are what some architectures bring for very long trainings."""
LARGEST_MOMENTUM: Final = 0.5
LEAST_OBJECT: Final = 12
"""Pixels that the smaller side of a small object should have at the model's input."""
LARGEST_ZOOM: Final = 2
"""Small objects enlarge the input to at most so many times the model's usual side."""
SMALL_PICTURE: Final = 64
"""Up to this side a grey picture is taken for a character, a sign or a measurement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFacts:
    """What the rules need to know about some data."""

    items: int
    """Of the train split that are used."""
    picture: tuple[int, int] | None = None
    """Height and width that nine in ten pictures do not exceed; None where there are no pictures."""
    one_size: bool = False
    """Every picture has this very size."""
    grey: bool = False
    """Every picture is grey."""
    classes: tuple[str, ...] = ()
    object_share: float | None = None
    """The smaller side of a small object as a share of its picture's side; None where there are no objects."""

    @property
    def pictures(self) -> str:
        """What their sizes are, in words."""
        size = spelt_size(self.picture) if self.picture else ""
        if not size:
            return "there are no pictures"
        return f"the pictures are {size}" if self.one_size else f"nine in ten pictures are at most {size}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suited:
    """A recipe for some data, and what of it was chosen for them."""

    recipe: Recipe
    choices: tuple[Choice, ...] = ()


Adapted = tuple[Recipe, str, str]
"""The recipe after a rule, what was chosen and why."""
Rule = Callable[[Recipe, DataFacts, ModelSpec], Adapted | None]
"""None where it has nothing to say."""


def facts_of(card: DataCard, *, limit: int | None = None) -> DataFacts:
    """The facts of checked data; `limit` is the number of training items that are used."""
    items = card.counts().get("train", 0)
    share = card.facts.get("object_share")
    return DataFacts(
        items=min(items, limit or items),
        picture=picture_size(card),
        one_size=all(_same_ends(card.facts.get(side)) for side in ("height", "width")),
        grey=card.facts.get("channels") == 1,
        classes=card.classes,
        object_share=share if isinstance(share, float) else None,
    )


def _same_ends(ends: object) -> bool:
    return isinstance(ends, list) and ends[0] == ends[-1]


def picture_size(card: DataCard) -> tuple[int, int] | None:
    """Height and width that nine in ten pictures do not exceed, the largest where the card knows no more."""
    common = card.facts.get("common_size")
    if common is None:
        sides = card.facts.get("height"), card.facts.get("width")
        common = [side[-1] for side in sides if isinstance(side, list)]
    if not isinstance(common, list) or len(common) != 2:
        return None
    height, width = common
    return (height, width) if isinstance(height, int) and isinstance(width, int) else None


def choose_member(limits: Sequence[int | None], facts: DataFacts) -> int:
    """The index of the first member of a family that takes pictures of this size; None is a member for all."""
    side = max(facts.picture) if facts.picture else math.inf
    return next(index for index, limit in enumerate(limits) if limit is None or side <= limit)


def suit_recipe(
    recipe: Recipe, facts: DataFacts, *, spec: ModelSpec, keep: Collection[str] = (), trained_input: bool = False
) -> Suited:
    """The recipe for some data; what `keep` names stays, as the user chose it.

    With `trained_input` the parameters were trained at a size, and pictures are brought to it.
    """
    rules: Mapping[str, Rule] = {
        "input_size": _size,
        "augment.flip": _flip,
        "batch_size": _batch,
        "epochs": _epochs,
        "batchnorm_momentum": _momentum,
    }
    kept = {*keep, *(["input_size"] if trained_input else []), *(["augment.flip"] if "augment" in keep else [])}
    choices: list[Choice] = []
    for name, rule in rules.items():
        adapted = None if name in kept else rule(recipe, facts, spec)
        if adapted is None:
            continue
        rate = recipe.lr
        recipe, value, reason = adapted
        choices.append(Choice(name=name, value=value, reason=reason))
        if recipe.lr != rate and "lr" in kept:
            recipe = replace(recipe, lr=rate)
        elif recipe.lr != rate:
            choices.append(Choice(name="lr", value=f"{recipe.lr:g}", reason=f"{rate:g} goes with larger batches"))
    return Suited(recipe=recipe, choices=tuple(choices))


def _size(recipe: Recipe, facts: DataFacts, spec: ModelSpec) -> Adapted | None:
    """The pictures' own size where they are smaller than the model's; larger where objects would become too small."""
    image = _image(spec.input)
    if image is None or facts.picture is None or (recipe.input_size is not None and recipe.items is None):
        return None
    usual = recipe.input_size or image.size
    if image.fixed_size and "image_size" not in spec.needs:
        return (recipe, spelt_size(usual), "the model takes no other size") if recipe.items else None
    size, reason = _wanted_size(facts, facts.picture, usual)
    if image.fixed_size:
        size = (max(size), max(size))
    if demand := image.demand(size):
        size, reason = image.nearest(size), f"{reason}; the model takes {demand}"
    if size == usual and recipe.items is None:
        return None
    changed = recipe if size == usual else replace(recipe, input_size=size)
    return changed, spelt_size(size), reason


def _wanted_size(facts: DataFacts, picture: tuple[int, int], usual: tuple[int, int]) -> tuple[tuple[int, int], str]:
    small = max(picture) < max(usual)
    size = picture if small else usual
    needed = min(_enough_for(facts.object_share), LARGEST_ZOOM * max(usual), max(picture))
    if needed > max(size):
        share = f"small objects have {facts.object_share:.1%} of a picture's side"
        return (needed, needed), f"{share}, and need {LEAST_OBJECT} px to be seen"
    if small:
        return size, f"{facts.pictures}, smaller than the model's usual {spelt_size(usual)}"
    return size, f"the model's usual size; {facts.pictures}"


def _enough_for(object_share: float | None) -> int:
    """The side at which small objects have enough pixels; 0 where there are none."""
    return math.ceil(LEAST_OBJECT / object_share) if object_share else 0


def spelt_size(size: tuple[int, int]) -> str:
    """Height x width: 28x28."""
    return "x".join(map(str, size))


def _image(input: Input) -> ImageInput | None:
    image = input.picture if isinstance(input, LatentInput) else input
    return image if isinstance(image, ImageInput) else None


def _flip(recipe: Recipe, facts: DataFacts, spec: ModelSpec) -> Adapted | None:  # noqa: ARG001
    """No mirroring where it may change the class."""
    if not recipe.augment.flip or facts.picture is None:
        return None
    if name := sided_class(facts.classes):
        if re.fullmatch(r"class \d+", name):  # as zoo calls those of masks that nobody has named
            reason = f"the class {name!r} does not say what it means, and the mirror may make it another one"
        else:
            reason = f"the class {name!r} may mean a character or a side, which is another one in the mirror"
    elif facts.grey and max(facts.picture) <= SMALL_PICTURE:
        reason = "small grey pictures may be characters, which are others in the mirror"
    else:
        return recipe, "on", "no class is named like a character or a side, so mirrored pictures keep their class"
    return replace(recipe, augment=replace(recipe.augment, flip=False)), "off", reason


def _batch(recipe: Recipe, facts: DataFacts, spec: ModelSpec) -> Adapted | None:  # noqa: ARG001
    """Smaller batches where an epoch would have few steps; the learning rate falls with them.

    In proportion for sgd, by the square root for Adam.
    """
    if recipe.items is None:
        return None
    size, usual = recipe.batch_size, recipe.batch_size
    while size > SMALLEST_BATCH and facts.items // size < LEAST_STEPS:
        size = max(SMALLEST_BATCH, size // 2)
    steps = max(facts.items // size, 1)
    if size == usual:
        return (
            recipe,
            str(size),
            f"{counted(facts.items, 'item makes', 'items make')} {counted(steps, 'step')} an epoch",
        )
    share = size / usual
    rate = float(f"{recipe.lr * (share if recipe.optimizer == 'sgd' else math.sqrt(share)):.2g}")
    made = f"{counted(facts.items, 'item makes', 'items make')} {counted(steps, 'step')} an epoch"
    reason = f"{made}; batches of {usual} would make {facts.items // usual}"
    return replace(recipe, batch_size=size, lr=rate), str(size), reason


def _epochs(recipe: Recipe, facts: DataFacts, spec: ModelSpec) -> Adapted | None:  # noqa: ARG001
    """More epochs for fewer items by the fourth root of how many fewer they are, fewer for more items by the eighth."""
    if recipe.items is None or not facts.items:
        return None
    share = recipe.items / facts.items
    factor = min(share ** (1 / 4 if share > 1 else 1 / 8), MOST_REPEATS)
    epochs = recipe.epochs if abs(factor - 1) < SAME else max(round(recipe.epochs * factor), 1)
    if epochs == recipe.epochs:
        reason = f"the recipe's own, meant for about {recipe.items:,} items; here are {facts.items:,}"
    else:
        reason = f"{recipe.epochs} are meant for about {recipe.items:,} items, and here are {facts.items:,}"
    return replace(recipe, epochs=epochs), str(epochs), reason


def _momentum(recipe: Recipe, facts: DataFacts, spec: ModelSpec) -> Adapted | None:
    """Running statistics that follow the weights within an epoch."""
    if recipe.items is None or _image(spec.input) is None:
        return None
    steps = max(facts.items // recipe.batch_size, 1)
    momentum = min(round(1 - FORGOTTEN ** (1 / steps), 3), LARGEST_MOMENTUM)
    if momentum <= max(recipe.batchnorm_momentum or 0.0, SLOWEST_MOMENTUM):
        return None
    reason = f"the running statistics must follow the weights within the {counted(steps, 'step')} of an epoch"
    return replace(recipe, batchnorm_momentum=momentum), f"{momentum:g}", reason
