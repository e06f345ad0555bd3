"""Object detection: tensors and graphs.  [torch]"""

from __future__ import annotations

import torch
from torch import nn

from zoo.api.data import DataCard, Split
from zoo.api.parts import Signatures
from zoo.api.postprocess import PostprocessStep
from zoo.api.problem import Problem
from zoo.api.recipe import Augment
from zoo.api.task import Batch, Dataset, Metrics, Port, Signature
from zoo.data.image.inputs import uncropped_input
from zoo.data.image.reading import IMAGE, read_as
from zoo.tasks.bases.picture_tensors import PictureGraphs
from zoo.tasks.object_detection.augment import augment as change
from zoo.tasks.object_detection.dataset import open_split
from zoo.tasks.object_detection.facts import max_detections, postprocess_steps
from zoo.tasks.object_detection.postprocess import detections


class DetectionTensors:
    """Pictures with boxes."""

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """One split, stretched to the problem's input."""
        return open_split(read_as(card, problem), split, uncropped_input(problem))

    def augment(self, batch: Batch, augment: Augment, generator: torch.Generator) -> Batch:
        """Pictures and boxes changed together."""
        return change(batch, augment, generator)

    def metrics(self, problem: Problem) -> Metrics:
        """COCO's mean average precision."""
        from zoo.tasks.object_detection.metrics import DetectionMetrics  # noqa: PLC0415  answers need no metrics

        return DetectionMetrics(problem)


class DetectionGraphs(PictureGraphs):
    """A picture to its boxes; how many boxes a model gives is its adapter's to say (`zoo.detector_signature`)."""

    crops = False

    def signatures(self, problem: Problem) -> Signatures:
        """`image` to `boxes`, `scores` and `labels`, the best first."""
        limit = max_detections(problem)
        answer = (
            Port(name="boxes", dtype="float32", shape=("n", 4), doc="left, top, right, bottom in pixels of image"),
            Port(name="scores", dtype="float32", shape=("n",), doc=f"0..1, falling; n is at most {limit}"),
            Port(name="labels", dtype="int64", shape=("n",), doc="index into the class names"),
        )
        return Signatures(model=None, pipeline=Signature(inputs=(IMAGE,), outputs=answer))

    def postprocess(self, problem: Problem) -> nn.Module:
        """Non-maximum suppression and the way back to the pixels of the given picture."""
        return detections(problem)

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:
        """The same as data."""
        return postprocess_steps(problem)
