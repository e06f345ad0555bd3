"""A plugin of API version 1, with all four hooks, as a stranger wrote it when that version was current.

NEVER EDIT ANYTHING IN THIS FOLDER.  It stands for the packages that people have installed: whatever zoo becomes, this
one must load and pass the conformance kit as it is.  Where it fails, zoo has broken its promise, and zoo is mended.
"""

from __future__ import annotations

from collections.abc import Iterable

from zoo import Augment, ImageInput, ModelSpec, Recipe, TaskSpec, TrainerSpec, WeightsSpec, hookimpl

ZOO_API = 1

PICTURE = ImageInput(size=(32, 32), channels=1, mean=(0.4,), std=(0.3,), min_size=8, any_channels=True)
DISCS = Recipe(epochs=8, batch_size=32, lr=1e-2, schedule="onecycle", warmup=0.25, augment=Augment(flip=True))

DIGIT = ImageInput(size=(28, 28), channels=1, mean=(0.1307,), std=(0.3081,), min_size=7, any_channels=True)
DIGITS = Recipe(epochs=4, batch_size=64, lr=1e-2, schedule="onecycle", warmup=0.25)


@hookimpl
def zoo_tasks() -> Iterable[TaskSpec]:
    """A kind of work that zoo does not know."""
    yield TaskSpec(
        name="first",
        task="zoo_first.task:First",
        summary="one number for a picture",
        default_data="discs",
        metric="error",
    )


@hookimpl
def zoo_trainers() -> Iterable[TrainerSpec]:
    """How it is learnt."""
    yield TrainerSpec(
        name="first",
        task="first",
        trainer="zoo_first.trainer:FirstTrainer",
        summary="mean squared error",
    )
    yield TrainerSpec(
        name="modest",
        task="image-classification",
        trainer="zoo_first.classifier:ModestTrainer",
        options={"modesty": 0.1},
        summary="cross-entropy, and a price on confidence",
    )


@hookimpl
def zoo_models() -> Iterable[ModelSpec]:
    """The architecture; everything heavy is named by reference and imported when it is used."""
    yield ModelSpec(
        name="first",
        task="first",
        builder="zoo_first.model:first",
        trainer="first",
        needs=("channels",),
        input=PICTURE,
        head=("head.",),
        recipes={"discs": DISCS, "default": DISCS},
        summary="three convolutions and a mean",
        licence="Apache-2.0",
        parameters=23_473,
    )
    yield ModelSpec(
        name="linear",
        task="image-classification",
        builder="zoo_first.classifier:linear",
        trainer="modest",
        needs=("num_classes", "channels"),
        input=DIGIT,
        head=("head.",),
        recipes={"digits": DIGITS, "default": DIGITS},
        aliases=("line",),
        summary="49 means and one layer",
        paper="none",
        licence="Apache-2.0",
        parameters=500,
    )


@hookimpl
def zoo_weights() -> Iterable[WeightsSpec]:
    """Trained on the embedded digits."""
    yield WeightsSpec(
        model="linear",
        tag="digits",
        licence="Apache-2.0; trained on MNIST digits, which are CC BY-SA 3.0 (Yann LeCun and Corinna Cortes)",
        sha256="097d39b3b38fa6f570d58dfd152dace62fc70f6590796b5a0e8037b4488ebf23",
        resource="zoo_first:weights/linear-digits.safetensors",
        size=2176,
        input=DIGIT,
        classes=("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
        metrics={"top1": 0.8655, "top5": 0.987},
        data="digits",
        recipe="zoo train linear --threads 1",
    )
