"""Tasks on labelled texts: tensors and graphs with defaults.  [torch]"""

from __future__ import annotations

import torch
from torch import nn

from zoo.api.data import DataCard, Split
from zoo.api.parts import Signatures
from zoo.api.postprocess import CUSTOM_POSTPROCESS, PostprocessStep
from zoo.api.problem import Problem
from zoo.api.recipe import Augment
from zoo.api.task import Batch, Dataset, Port, Signature
from zoo.data.text.graphs import AsGiven
from zoo.data.text.labelled_dataset import LabelledTexts
from zoo.data.text.labelled_texts import LENGTH, TOKENS


class Unchanged:
    """Training batches as they are: an `Augment` changes pictures."""

    def augment(self, batch: Batch, augment: Augment, generator: torch.Generator) -> Batch:  # noqa: ARG002
        """The batch as it is."""
        return batch


class TextTensors(Unchanged):
    """Token ids in memory, in batches of texts of about one length; a task adds `metrics`.

    Examples:
        >>> class Lengths(zoo.MeanMetrics):
        ...     names = ("length",)
        ...     def values(self, outputs, batch):
        ...         return {"length": batch["lengths"].float()}
        >>> class Tensors(zoo.TextTensors):
        ...     def metrics(self, problem):
        ...         return Lengths()
    """

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """One split."""
        return LabelledTexts(card.splits[split], problem)


class TextGraphs:
    """Tokens go in; a task adds `model_outputs`, `outputs` and `postprocess`.

    Examples:
        >>> class Graphs(zoo.TextGraphs):
        ...     def model_outputs(self, problem):
        ...         return (zoo.Port(name="logits", dtype="float32", shape=("batch", problem.num_classes)),)
    """

    def model_outputs(self, problem: Problem) -> tuple[Port, ...]:
        """The outputs of model.onnx, with their batch axis."""
        raise NotImplementedError(f"{type(self).__name__} must say model_outputs")

    def outputs(self, problem: Problem) -> tuple[Port, ...]:
        """The outputs of pipeline.onnx, with their batch axis."""
        raise NotImplementedError(f"{type(self).__name__} must say outputs")

    def signatures(self, problem: Problem) -> Signatures:
        """tokens int64 [batch, length] and lengths int64 [batch] go into both graphs."""
        return Signatures(
            model=Signature(inputs=(TOKENS, LENGTH), outputs=self.model_outputs(problem)),
            pipeline=Signature(inputs=(TOKENS, LENGTH), outputs=self.outputs(problem)),
        )

    def preprocess(self, problem: Problem) -> nn.Module:  # noqa: ARG002
        """Nothing: tokens are what the model takes."""
        return AsGiven()

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:  # noqa: ARG002  for overriding
        """One custom step; a task whose postprocessing is made of known steps says them."""
        return CUSTOM_POSTPROCESS
