"""Tasks on sequences, whose answer is sampled step by step on the device: graphs with defaults.  [torch]"""

from __future__ import annotations

from torch import nn

from zoo.api.parts import Signatures
from zoo.api.postprocess import PostprocessKind, PostprocessStep
from zoo.api.problem import Problem
from zoo.api.task import Signature
from zoo.data.text.graphs import AsGiven


class SequenceGraphs:
    """Model and pipeline are the same; a task adds `signature`.

    A model's state is its own: it declares the inputs and outputs that carry it in its signature, and the pipeline
    hands them through.
    """

    def signature(self, problem: Problem) -> Signature:
        """Inputs and outputs of both graphs, without state."""
        raise NotImplementedError(f"{type(self).__name__} must say signature")

    def signatures(self, problem: Problem) -> Signatures:
        """The same for both: what follows, sampling, is the device's."""
        signature = self.signature(problem)
        return Signatures(model=signature, pipeline=signature)

    def preprocess(self, problem: Problem) -> nn.Module:  # noqa: ARG002
        """A passthrough: the model takes the ids."""
        return AsGiven()

    def postprocess(self, problem: Problem) -> nn.Module:  # noqa: ARG002
        """A passthrough: whoever samples wants the logits."""
        return AsGiven()

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:  # noqa: ARG002
        """None: the answer is the logits."""
        return (PostprocessStep(kind=PostprocessKind.IDENTITY),)
