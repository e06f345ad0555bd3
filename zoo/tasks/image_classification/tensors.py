"""Image classification: tensors and graphs.  [torch]"""

from __future__ import annotations

from torch import nn

from zoo.api.postprocess import PostprocessKind, PostprocessStep
from zoo.api.problem import Problem
from zoo.api.task import Metrics, Port
from zoo.data.image.postprocess import Probabilities
from zoo.tasks.bases.picture_tensors import PictureGraphs, PictureTensors


class ClassificationTensors(PictureTensors):
    """Pictures with the indices of their classes."""

    def metrics(self, problem: Problem) -> Metrics:
        """top1, from ten classes on top5; confusion matrix and worst mistakes as pictures."""
        from zoo.tasks.image_classification.metrics import ClassificationMetrics  # noqa: PLC0415  answers need no metrics

        return ClassificationMetrics(problem.classes)


class ClassificationGraphs(PictureGraphs):
    """A picture to the probabilities of its classes."""

    def model_outputs(self, problem: Problem) -> tuple[Port, ...]:
        """logits float32 [batch, classes]."""
        shape = ("batch", len(problem.classes))
        return (Port(name="logits", dtype="float32", shape=shape, doc="scores before softmax"),)

    def outputs(self, problem: Problem) -> tuple[Port, ...]:
        """probabilities float32 [classes]."""
        return (Port(name="probabilities", dtype="float32", shape=(len(problem.classes),), doc="sum to one"),)

    def postprocess(self, problem: Problem) -> nn.Module:  # noqa: ARG002  every classifier ends alike
        """Softmax."""
        return Probabilities()

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:  # noqa: ARG002
        """Softmax."""
        return (PostprocessStep(kind=PostprocessKind.SOFTMAX),)
