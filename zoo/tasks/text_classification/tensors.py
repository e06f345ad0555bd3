"""Text classification: tensors and graphs.  [torch]"""

from __future__ import annotations

from torch import nn

from zoo.api.postprocess import PostprocessKind, PostprocessStep
from zoo.api.problem import Problem
from zoo.api.task import Metrics, Port
from zoo.data.text.graphs import Probabilities
from zoo.tasks.bases.text_tensors import TextGraphs, TextTensors


class TextClassTensors(TextTensors):
    """Token ids with the indices of their classes."""

    def metrics(self, problem: Problem) -> Metrics:
        """accuracy and macro_f1; the confusion matrix as a picture."""
        from zoo.data.text.metrics import TextClassificationMetrics  # noqa: PLC0415  answers need no metrics

        return TextClassificationMetrics(problem.classes)


class TextClassGraphs(TextGraphs):
    """A text to the probabilities of its classes."""

    def model_outputs(self, problem: Problem) -> tuple[Port, ...]:
        """logits float32 [batch, classes]."""
        return (Port(name="logits", dtype="float32", shape=("batch", len(problem.classes)), doc="before softmax"),)

    def outputs(self, problem: Problem) -> tuple[Port, ...]:
        """probabilities float32 [batch, classes]."""
        shape = ("batch", len(problem.classes))
        return (Port(name="probabilities", dtype="float32", shape=shape, doc="sum to one"),)

    def postprocess(self, problem: Problem) -> nn.Module:  # noqa: ARG002  every classifier's is the same
        """Softmax."""
        return Probabilities()

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:  # noqa: ARG002
        """Softmax."""
        return (PostprocessStep(kind=PostprocessKind.SOFTMAX),)
