"""The tasks that zoo itself knows, and the ways of training them."""

from __future__ import annotations

from collections.abc import Iterable

from zoo import TaskSpec, TrainerSpec, hookimpl

ZOO_API = 1


@hookimpl
def zoo_tasks() -> Iterable[TaskSpec]:
    """Those of pictures."""
    yield TaskSpec(
        name="image-classification",
        task="zoo.tasks.image_classification.task:ImageClassification",
        summary="which of a list of classes a picture shows",
        default_data="digits",
        metric="top1",
    )
    yield TaskSpec(
        name="image-reconstruction",
        task="zoo.tasks.image_reconstruction.task:ImageReconstruction",
        summary="a picture through a narrow code and back",
        default_data="digits",
        metric="psnr",
    )
    yield TaskSpec(
        name="object-detection",
        task="zoo.tasks.object_detection.task:ObjectDetection",
        summary="where in a picture the things are, and what they are",
        default_data="digit_scenes",
        metric="map",
    )


@hookimpl
def zoo_trainers() -> Iterable[TrainerSpec]:
    """One trainer for each."""
    yield TrainerSpec(
        name="classification",
        task="image-classification",
        trainer="zoo.trainers.classification:ClassificationTrainer",
        options={"auxiliary_weight": 0.4},
        summary="cross-entropy, with label smoothing if the recipe says so",
    )
    yield TrainerSpec(
        name="reconstruction",
        task="image-reconstruction",
        trainer="zoo.trainers.reconstruction:ReconstructionTrainer",
        summary="mean squared error between a picture and what came back",
    )
