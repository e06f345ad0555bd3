"""What this package offers to zoo; nothing here imports torch or numpy."""

from __future__ import annotations

from collections.abc import Iterable

from zoo import Augment, ImageInput, ModelSpec, Recipe, TaskSpec, TrainerSpec, hookimpl

ZOO_API = 1

TICKET = ImageInput(size=(48, 48), channels=1, mean=(0.45,), std=(0.25,))
DIGIT = ImageInput(size=(28, 28), channels=1, mean=(0.1307,), std=(0.3081,), fixed_size=True)
"""As the teacher `cnn@digits` sees them: teacher and pupil look at the same numbers."""

POINTS = Recipe(
    epochs=8,
    batch_size=50,
    lr=4e-3,
    weight_decay=0.01,
    schedule="onecycle",
    warmup=0.2,
    augment=Augment(shift=0.08, rotate=20.0),
)
TAUGHT = Recipe(epochs=6, batch_size=64, lr=8e-3, schedule="onecycle", warmup=0.2, augment=Augment(shift=0.08))


@hookimpl
def zoo_tasks() -> Iterable[TaskSpec]:
    """The one that zoo does not know."""
    yield TaskSpec(
        name="keypoints",
        task="zoo_keypoints.task:Keypoints",
        summary="where in a picture certain points lie",
        default_data="tickets",
        data_licence="tickets drawn by zoo-keypoints, CC0-1.0",
        metric="pck",
    )


@hookimpl
def zoo_trainers() -> Iterable[TrainerSpec]:
    """One for points, one that teaches any classifier."""
    yield TrainerSpec(
        name="points",
        task="keypoints",
        trainer="zoo_keypoints.trainer:PointTrainer",
        summary="mean distance between each point and its truth",
    )
    yield TrainerSpec(
        name="distillation",
        task="image-classification",
        trainer="zoo_keypoints.distillation:DistillationTrainer",
        options={"teacher": "cnn@digits", "temperature": 4.0, "trust": 0.9},
        summary="learns from a frozen teacher's soft answers, and a little from the labels",
    )


@hookimpl
def zoo_models() -> Iterable[ModelSpec]:
    """A finder of points and a classifier that fits a pocket."""
    yield ModelSpec(
        name="finder",
        task="keypoints",
        builder="zoo_keypoints.model:finder",
        trainer="points",
        needs=("num_classes", "channels"),
        input=TICKET,
        head=("maps.",),
        recipes={"tickets": POINTS, "default": POINTS},
        summary="a heat map for each point, and its centre of gravity",
        paper="Nibali et al., Numerical coordinate regression with convolutional neural networks, arXiv:1801.07372",
        licence="Apache-2.0",
        parameters=51_376,
    )
    yield ModelSpec(
        name="pocket",
        task="image-classification",
        builder="zoo_keypoints.model:pocket",
        trainer="distillation",
        needs=("num_classes", "channels"),
        input=DIGIT,
        head=("head.",),
        recipes={"digits": TAUGHT, "default": TAUGHT},
        summary="depthwise separable convolutions, taught by cnn@digits",
        paper="Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, arXiv:1503.02531",
        licence="Apache-2.0",
        parameters=4_266,
    )
