"""Semantic segmentation: tensors and graphs.  [torch]"""

from __future__ import annotations

import torch
from torch import nn

from zoo.api.data import DataCard, Split
from zoo.api.postprocess import PostprocessKind, PostprocessStep
from zoo.api.problem import Problem
from zoo.api.recipe import Augment
from zoo.api.task import Batch, Dataset, Metrics, Port
from zoo.data.image.inputs import uncropped_input
from zoo.data.image.reading import read_as
from zoo.tasks.bases.picture_tensors import PictureGraphs
from zoo.tasks.semantic_segmentation.augment import augment as change
from zoo.tasks.semantic_segmentation.dataset import open_split
from zoo.tasks.semantic_segmentation.facts import answer_dtype
from zoo.tasks.semantic_segmentation.postprocess import class_map


class SegmentationTensors:
    """Pictures with masks."""

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """One split, stretched to the problem's input."""
        return open_split(read_as(card, problem), split, uncropped_input(problem))

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
