"""Object detection: tensors and graphs.  [torch]"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from zoo.api.data import DataCard, Split
from zoo.api.parts import Signatures
from zoo.api.postprocess import PostprocessStep
from zoo.api.problem import ImageInput, Problem
from zoo.api.recipe import Augment
from zoo.api.task import Batch, Dataset, Metrics, Port, Signature
from zoo.data.image.reading import IMAGE
from zoo.tasks.bases.picture_tensors import PictureGraphs, PictureTensors
from zoo.tasks.object_detection.augment import augment as change
from zoo.tasks.object_detection.dataset import LearntObjects, object_targets
from zoo.tasks.object_detection.facts import max_detections, postprocess_steps
from zoo.tasks.object_detection.postprocess import detections
from zoo.tasks.object_detection.task import DetectionData


class DetectionTensors(PictureTensors):
    """Pictures with boxes."""

    data = DetectionData
    crops = False

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """One split, stretched to the problem's input."""
        whole = self.pictures(card, split, problem)
        if split != "train":
            return whole
        return LearntObjects(whole.samples, whole.levels, whole.prepare, whole.targets)

    def targets(self, card: DataCard, split: Split, image: ImageInput) -> Mapping[str, list[Tensor]]:
        """boxes, labels and what is to be ignored; see `object_targets`."""
        return object_targets(card.splits[split], image.size)

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
