"""Text embedding: tensors and graphs.  [torch]"""

from __future__ import annotations

from torch import nn

from zoo.api.data import DataCard, Split
from zoo.api.postprocess import PostprocessStep
from zoo.api.problem import Problem
from zoo.api.task import Dataset, Metrics, Port
from zoo.data.embedding.steps import STEPS
from zoo.data.text.encoding import token_input
from zoo.data.text.graphs import UnitLengths
from zoo.data.text.labelled_dataset import GroupedTexts
from zoo.tasks.bases.text_tensors import TextGraphs, TextTensors


class LabelledTextTensors(TextTensors):
    """Token ids; for training, in batches of a few labels."""

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """One split."""
        return GroupedTexts(card.splits[split], problem) if split == "train" else super().dataset(card, split, problem)

    def metrics(self, problem: Problem) -> Metrics:  # noqa: ARG002
        """retrieval_accuracy, and the mean cosines of pairs of one label and of two."""
        from zoo.data.text.metrics import RetrievalMetrics  # noqa: PLC0415  answers need no metrics

        return RetrievalMetrics()


class TextEmbeddingGraphs(TextGraphs):
    """A text to a vector of unit length."""

    def model_outputs(self, problem: Problem) -> tuple[Port, ...]:
        """features float32 [batch, d] of any length."""
        shape = ("batch", token_input(problem).embedding)
        return (Port(name="features", dtype="float32", shape=shape, doc="not yet of unit length"),)

    def outputs(self, problem: Problem) -> tuple[Port, ...]:
        """embedding float32 [batch, d], of unit length."""
        shape = ("batch", token_input(problem).embedding)
        return (Port(name="embedding", dtype="float32", shape=shape, doc="of unit length"),)

    def postprocess(self, problem: Problem) -> nn.Module:  # noqa: ARG002
        """Division by the L2 norm."""
        return UnitLengths()

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:  # noqa: ARG002
        """Division by the L2 norm."""
        return STEPS
