"""Semantic segmentation: tensors and graphs.  [torch]"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from zoo.api.data import DataCard, Split
from zoo.api.postprocess import PostprocessKind, PostprocessStep
from zoo.api.problem import ImageInput, Problem
from zoo.api.recipe import Augment
from zoo.api.task import Batch, Metrics, Port
from zoo.data.image.dataset import Values
from zoo.tasks.bases.picture_tensors import PictureGraphs, PictureTensors
from zoo.tasks.semantic_segmentation.augment import augment as change
from zoo.tasks.semantic_segmentation.dataset import open_masks
from zoo.tasks.semantic_segmentation.facts import answer_dtype
from zoo.tasks.semantic_segmentation.postprocess import class_map
from zoo.tasks.semantic_segmentation.task import SegmentationData


class SegmentationTensors(PictureTensors):
    """Pictures with masks."""

    data = SegmentationData
    crops = False

    def targets(self, card: DataCard, split: Split, image: ImageInput) -> Mapping[str, Values]:
        """mask uint8 [n, h, w], with 255 for pixels left open."""
        return {"mask": open_masks(card, split, image)}

    def augment(self, batch: Batch, augment: Augment, generator: torch.Generator) -> Batch:
        """Pictures and masks changed together."""
        return change(batch, augment, generator)

    def metrics(self, problem: Problem) -> Metrics:
        """miou and pixel_accuracy; pictures with what the data and the model say."""
        from zoo.tasks.semantic_segmentation.metrics import SegmentationMetrics  # noqa: PLC0415  answers need no metrics

        return SegmentationMetrics(problem)


class SegmentationGraphs(PictureGraphs):
    """A picture to a class for every pixel."""

    crops = False

    def model_outputs(self, problem: Problem) -> tuple[Port, ...]:
        """logits float32 [batch, classes, h, w]."""
        shape = ("batch", len(problem.classes), *problem.image.size)
        return (Port(name="logits", dtype="float32", shape=shape, doc="scores per pixel"),)

    def outputs(self, problem: Problem) -> tuple[Port, ...]:
        """classes [height, width] of the given image."""
        dtype = answer_dtype(problem)
        return (Port(name="classes", dtype=dtype, shape=("height", "width"), doc="index into the class names"),)

    def postprocess(self, problem: Problem) -> nn.Module:
        """Scores enlarged to the given picture, and the likeliest class of every pixel."""
        return class_map(problem)

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:  # noqa: ARG002
        """The same as data."""
        return (
            PostprocessStep(kind=PostprocessKind.RESIZE_TO_IMAGE),
            PostprocessStep(kind=PostprocessKind.ARGMAX),
        )
