"""What this package offers to zoo; nothing here imports torch or numpy."""

from __future__ import annotations

from collections.abc import Iterable

from zoo import Augment, ImageInput, ModelSpec, Monitor, Recipe, TaskSpec, TrainerSpec, WeightsSpec, hookimpl

ZOO_API = 2

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
        data="zoo_keypoints.task:KeypointData",
        tensors="zoo_keypoints.tensors:KeypointTensors",
        graphs="zoo_keypoints.tensors:KeypointGraphs",
        answers="zoo_keypoints.task:KeypointAnswers",
        device="zoo_keypoints.device:read",
        monitor=Monitor(metric="pck", mode="max"),
        summary="where in a picture certain points lie",
        default_data="tickets",
        data_licence="tickets drawn by zoo-keypoints, CC0-1.0",
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


@hookimpl
def zoo_weights() -> Iterable[WeightsSpec]:
    """Both, as `zoo weights pack` declared them."""
    yield WeightsSpec(
        model="finder",
        tag="tickets",
        licence="Apache-2.0; trained on tickets drawn by zoo-keypoints, CC0-1.0",
        sha256="7aaced0b5f2cc1dd778231e72ac714d8bdaec66fc0fa9984a0444d19af7da476",
        resource="zoo_keypoints:weights/finder-tickets.safetensors",
        size=108688,
        input=TICKET,
        classes=("punched", "second", "third", "fourth"),
        metrics={"pck": 0.98, "error": 0.8591},
        data="tickets",
        recipe="zoo train finder --threads 1; packed with --dtype float16",
    )
    yield WeightsSpec(
        model="pocket",
        tag="digits",
        licence="Apache-2.0; trained on MNIST digits, which are CC BY-SA 3.0 (Yann LeCun and Corinna Cortes)",
        sha256="17ef5939cc898176dfc4c490364889067770a2703e1ac06181ebe0112e92382f",
        resource="zoo_keypoints:weights/pocket-digits.safetensors",
        size=21952,
        input=DIGIT,
        classes=tuple("0123456789"),
        metrics={"top1": 0.9625, "top5": 0.9995},
        data="digits",
        recipe="zoo train pocket --threads 1",
    )
